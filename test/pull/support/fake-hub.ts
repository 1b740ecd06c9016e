import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Agent } from 'undici';
import type { Hub } from '../../../src/pull/hub.ts';

export interface Seen {
  readonly path: string;
  readonly range: string | undefined;
  readonly authorization: string | undefined;
}

/** Answers instead of the hub; true when it has. */
type Odd = (request: IncomingMessage, response: ServerResponse) => boolean;

export const sha256 = (content: Buffer): string => createHash('sha256').update(content).digest('hex');

/** A hub on a free port: one repository, `u/r` unless named, ranges and ETags, and whatever a test makes it do wrong. */
export class FakeHub {
  readonly files = new Map<string, Buffer>();
  /** ETags by file; the content's own without an entry. */
  readonly etags = new Map<string, string>();
  readonly seen: Seen[] = [];
  readonly odd: Odd[] = [];
  /** What the list of files tells instead of the content's SHA-256. */
  readonly oids = new Map<string, string>();
  takesRanges = true;
  /** Where files are to be had; by default here. */
  filesFrom: string | null = null;
  #breakAt: { readonly bytes: number; readonly response: ServerResponse } | null = null;
  readonly #repo: string;
  readonly #server = createServer((request, response) => this.#answer(request, response));
  readonly #dispatcher = new Agent();

  constructor(repo = 'u/r') {
    this.#repo = repo;
  }

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  hub(token: string | null = null): Hub {
    return { endpoint: this.url, token, dispatcher: this.#dispatcher };
  }

  async stop(): Promise<void> {
    await this.#dispatcher.destroy();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** The connection of the next request for a file breaks once the client has told that it has so many bytes of the answer. */
  breakAfter(bytes: number): void {
    this.odd.push((request, response) => {
      if (!request.url?.includes('/resolve/')) return false;
      const { content, from } = this.#part(request);
      response.writeHead(from > 0 ? 206 : 200, this.#headers(request, content, from));
      response.write(content.subarray(from, from + bytes));
      if (bytes === 0) response.destroy();
      else this.#breakAt = { bytes: from + bytes, response };
      return true;
    });
  }

  /** Told by the client how many bytes it has. */
  reached(bytes: number): void {
    if (this.#breakAt === null || bytes < this.#breakAt.bytes) return;
    this.#breakAt.response.destroy();
    this.#breakAt = null;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { range, authorization } = request.headers;
    const path = request.url ?? '';
    this.seen.push({ path, range, authorization });
    const odd = this.odd.findIndex((one) => one(request, response));
    if (odd >= 0) return void this.odd.splice(odd, 1);
    if (path.startsWith(`/api/models/${this.#repo}/tree/main`)) return this.#list(response);
    if (!this.files.has(nameOf(path))) return void response.writeHead(404).end();
    if (this.filesFrom !== null)
      return void response.writeHead(302, { location: this.filesFrom + path }).end('elsewhere');
    const { content, from } = this.#part(request);
    response.writeHead(from > 0 ? 206 : 200, this.#headers(request, content, from));
    response.end(content.subarray(from));
  }

  #list(response: ServerResponse): void {
    const files = [...this.files].map(([path, content]) => {
      const lfs = { oid: this.oids.get(path) ?? sha256(content), size: content.length };
      return { type: 'file', path, size: content.length, ...(path.endsWith('.gguf') && { lfs }) };
    });
    response.end(JSON.stringify([{ type: 'directory', path: 'sub', size: 0 }, ...files]));
  }

  #part(request: IncomingMessage): { content: Buffer; from: number } {
    const name = nameOf(request.url ?? '');
    const content = this.files.get(name) ?? Buffer.alloc(0);
    const { range, 'if-range': ifRange } = request.headers;
    const isSame = ifRange === undefined || ifRange === this.#etagOf(name);
    const from = this.takesRanges && isSame ? Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0) : 0;
    return { content, from };
  }

  #headers(request: IncomingMessage, content: Buffer, from: number): Record<string, string> {
    const rest = { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` };
    return {
      etag: this.#etagOf(nameOf(request.url ?? '')),
      'content-length': String(content.length - from),
      ...(from > 0 && rest),
    };
  }

  #etagOf(name: string): string {
    return this.etags.get(name) ?? `"${sha256(this.files.get(name) ?? Buffer.alloc(0))}"`;
  }
}

const nameOf = (path: string): string => decodeURIComponent(path.split('/resolve/main/')[1] ?? '');
