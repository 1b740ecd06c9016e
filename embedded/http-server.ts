import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { timingSafeEqual } from 'node:crypto';
import type { Arguments } from './arguments.ts';
import { ApiError, apiErrorOf } from './api-error.ts';
import { endpoints, modelsOf } from './endpoints.ts';
import type { Engine } from './engine.ts';
import { sendJson } from './sending.ts';

/** As much as llama-server takes. */
const MAX_BODY_BYTES = 100 * 1024 ** 2;

const loading = new ApiError(503, 'unavailable_error', 'Loading model');
const unknown = (what: string): ApiError =>
  new ApiError(404, 'not_found_error', `the embedded runner has no ${what}; llama-server may have it`);
const wrongKey = new ApiError(401, 'authentication_error', 'Invalid API Key');

/** The runner's HTTP side. It answers from the first moment; until `engine()` gives a model that answer is 503. */
export function createRunnerServer(args: Arguments, engine: () => Engine | null): Server {
  return createServer({ requestTimeout: 0 }, (request, response) => {
    answer(request, response, args, engine()).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else {
        const { status, body, anthropicBody } = apiErrorOf(error);
        sendJson(response, status, pathOf(request).startsWith('/v1/messages') ? anthropicBody : body);
      }
    });
  });
}

const pathOf = ({ url = '/' }: IncomingMessage): string => url.split('?')[0] ?? '/';

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  args: Arguments,
  engine: Engine | null,
): Promise<void> {
  const path = pathOf(request);
  if (path === '/health')
    return engine ? sendJson(response, 200, { status: 'ok' }) : sendJson(response, 503, loading.body);
  if (path === '/v1/models' || path === '/models') return sendJson(response, 200, modelsOf(args, engine));
  if (!hasKey(request, args.apiKey)) throw wrongKey;
  if (engine === null) throw loading;
  // Node leaves the body out by itself.
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  const endpoint = endpoints[`${method} ${path}`];
  if (!endpoint) throw unknown(`${request.method} ${path}`);
  const gone = new AbortController();
  response.on('close', () => gone.abort(new Error('the client left')));
  const body = request.method === 'POST' ? await readJson(request) : {};
  await endpoint({ engine, args, body, response, signal: gone.signal });
}

function hasKey(request: IncomingMessage, apiKey: string | null): boolean {
  if (apiKey === null) return true;
  const given = request.headers['x-api-key'] ?? request.headers.authorization?.replace(/^Bearer\s+/i, '');
  const [a, b] = [Buffer.from(String(given ?? '')), Buffer.from(apiKey)];
  return a.length === b.length && timingSafeEqual(a, b);
}

async function readJson(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES)
      throw new ApiError(413, 'invalid_request_error', 'the request body is too large');
    chunks.push(chunk);
  }
  // llama-server steps over a byte order mark, too.
  const text = Buffer.concat(chunks)
    .toString()
    .replace(/^\uFEFF/, '');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // llama-server answers 500 to this, and clients that speak to both get the same.
    throw new ApiError(
      500,
      'server_error',
      `parse error: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ApiError(500, 'server_error', 'the request body must be a JSON object');
  return value as Record<string, unknown>;
}
