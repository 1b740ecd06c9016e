import type { IncomingMessage } from 'node:http';
import type { Logger } from 'pino';
import type { HttpProblem } from './openai-errors.ts';

/** Notes who was not let in: never a key, and the path without its query, since some put their key there. */
export const logRefused = (
  log: Logger,
  { method, url = '/', socket }: IncomingMessage,
  { status, code }: HttpProblem,
): void =>
  log.info({
    event: 'request.refused',
    method,
    path: url.replace(/\?.*$/s, ''),
    status,
    code,
    remote: socket.remoteAddress,
  });
