import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzip as gzipWithCallback } from 'node:zlib';

const gzip = promisify(gzipWithCallback);

/** Where the build puts the page: seen from the built JavaScript, or from source. */
export const builtPage = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../../dist/page' : '../../page', import.meta.url),
);

/** Below this path lie the page's files, whose names change with their content. */
/** Views of the page, which people type as paths. */
export const VIEW_PATHS: ReadonlySet<string> = new Set(
  ['charts', 'timeline', 'activity', 'terminal', 'playground', 'simulate'].map((view) => `/${view}`),
);

export const ASSETS_PREFIX = '/assets/';
const ASSET = /^\/assets\/([\w-]+(?:\.[\w-]+)+)$/;

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

/** Nothing comes from elsewhere, and nobody may frame the page. xterm.js writes style elements of its own. */
const SAFETY = {
  'content-security-policy':
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
};

/** The page that shows what Corral does. */
export interface Page {
  /** Answers `/` with the page, or a path below `ASSETS_PREFIX` with that file. False when there is none: nothing is sent. */
  send(request: IncomingMessage, response: ServerResponse, path: string): Promise<boolean>;
}

/** True if whoever asks is a browser that wants to show something. */
export const wantsPage = ({ headers }: IncomingMessage): boolean =>
  headers.accept?.includes('text/html') ?? false;

/** The page as it lies in a folder. It is read anew each time: browsers keep what does not change. */
export const createPage = (folder: string): Page => ({
  send: async (request, response, path) => {
    const name = path === '/' ? 'index.html' : ASSET.exec(path)?.[1];
    if (name === undefined) return false;
    const content = await read(path === '/' ? join(folder, name) : join(folder, 'assets', name));
    if (content === null) return false;
    await sendFile(request, response, name, content);
    return true;
  },
});

async function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  name: string,
  content: Buffer,
): Promise<void> {
  const headers: OutgoingHttpHeaders = {
    ...SAFETY,
    'content-type': types[extname(name)] ?? 'application/octet-stream',
    vary: 'accept, accept-encoding',
    'cache-control': name === 'index.html' ? 'no-cache' : 'public, max-age=31536000, immutable',
    etag: `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`,
  };
  if (request.headers['if-none-match']?.includes(String(headers['etag']))) {
    response.writeHead(304, headers).end();
    return;
  }
  const isSqueezed = /\bgzip\b/.test(String(request.headers['accept-encoding']));
  const body = isSqueezed ? await gzip(content) : content;
  if (isSqueezed) headers['content-encoding'] = 'gzip';
  response.writeHead(200, { ...headers, 'content-length': body.length });
  response.end(request.method === 'HEAD' ? undefined : body);
}

/** Null where there is no such file. */
async function read(path: string): Promise<Buffer | null> {
  try {
    return await readFile(path);
  } catch (error) {
    if (['ENOENT', 'EISDIR', 'ENOTDIR'].includes(String((error as NodeJS.ErrnoException).code))) return null;
    throw error;
  }
}
