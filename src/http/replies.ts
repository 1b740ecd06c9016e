import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { openai, type Family } from './families.ts';
import { badRequest, type HttpProblem } from './openai-errors.ts';

/** How long a refused client may go on sending before the connection is closed under it. */
const LINGER_MS = 10_000;

/** Sends a whole reply. Does nothing if a reply has begun already. */
export const sendText = (
  response: ServerResponse,
  status: number,
  text: string | Buffer,
  headers: OutgoingHttpHeaders = {},
): void => {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    ...headers,
  });
  response.end(text);
};

/** Sends `value` as JSON. */
export const sendJson = (response: ServerResponse, status: number, value: unknown): void =>
  sendText(response, status, JSON.stringify(value));

const problemHeaders = (
  { retryAfterSeconds, challenge, retry }: HttpProblem,
  { contentType = 'application/json' }: Family,
): OutgoingHttpHeaders => ({
  'content-type': `${contentType}; charset=utf-8`,
  ...(retryAfterSeconds !== undefined && { 'retry-after': String(Math.ceil(retryAfterSeconds)) }),
  // The clients of OpenAI and Anthropic heed it; by themselves they try 408, 409, 429 and all from 500 again.
  ...(retry !== undefined && { 'x-should-retry': String(retry) }),
  ...(challenge !== undefined && { 'www-authenticate': challenge }),
});

/** Sends a problem as an error reply, in the form of the API that was spoken to. */
export const sendProblem = (
  response: ServerResponse,
  problem: HttpProblem,
  family: Family = openai,
  headers: OutgoingHttpHeaders = {},
): void =>
  sendText(response, problem.status, family.errorBody(problem), {
    ...problemHeaders(problem, family),
    ...headers,
  });

/** As `sendProblem`; within a stream that was begun to keep a waiting client company, as its last event. */
export const endWithProblem = (response: ServerResponse, problem: HttpProblem, family: Family): void => {
  if (response.headersSent) response.end(family.errorEvent(problem));
  else sendProblem(response, problem, family);
};

/**
 * Sends a problem while the client is still sending its body. The rest is read and thrown away for a while: closing
 * with unread bytes makes the kernel reset the connection, and the client would lose the very reply that explains it.
 */
export const sendProblemEarly = (
  request: IncomingMessage,
  response: ServerResponse,
  problem: HttpProblem,
  family: Family = openai,
): void => {
  if (response.headersSent || response.destroyed) return;
  const text = family.errorBody(problem);
  response.writeHead(problem.status, {
    ...problemHeaders(problem, family),
    'content-length': Buffer.byteLength(text),
    connection: 'close',
  });
  response.write(text);
  const finish = (): void => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(finish, LINGER_MS);
  request.once('end', finish).once('close', finish).resume();
};

/** 405 with what is allowed; for OPTIONS just that. */
export const sendOtherMethod = (
  method: string,
  response: ServerResponse,
  methods: readonly string[],
  family: Family,
): void => {
  const allow = [...methods, 'OPTIONS'].join(', ');
  if (method === 'OPTIONS') {
    response.writeHead(204, { allow });
    response.end();
    return;
  }
  const problem = badRequest(`This path takes ${allow}, not ${method}.`, 'method_not_allowed', {
    status: 405,
  });
  sendProblem(response, problem, family, { allow });
};
