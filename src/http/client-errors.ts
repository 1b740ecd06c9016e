import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { badRequest, errorBody, type HttpProblem } from './openai-errors.ts';

const problems: Readonly<Record<string, HttpProblem>> = {
  HPE_HEADER_OVERFLOW: badRequest('The request headers are too large.', 'headers_too_large', { status: 431 }),
  ERR_HTTP_REQUEST_TIMEOUT: badRequest('The request did not arrive in time.', 'request_timeout', {
    status: 408,
  }),
  HPE_PAUSED_H2_UPGRADE: badRequest(
    'Corral speaks HTTP/1.1, and this is HTTP/2; a client that can speak both has to be told so.',
    'malformed_request',
  ),
};

const malformed = badRequest('The request is not well-formed HTTP.', 'malformed_request');

/** Text of a reply for a connection that has no `ServerResponse`. */
const rawReply = (problem: HttpProblem): string => {
  const body = errorBody(problem);
  return [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
    '',
    body,
  ].join('\r\n');
};

/**
 * Answers what never became a request: malformed, too large, too slow. `replying` says that bytes of another reply
 * are on this connection already; then it can only be closed.
 */
export const answerClientError = (error: NodeJS.ErrnoException, socket: Duplex, replying: boolean): void => {
  if (!socket.writable || replying || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  socket.end(rawReply(problems[error.code ?? ''] ?? malformed));
};
