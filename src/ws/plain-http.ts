import { STATUS_CODES, type IncomingMessage, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { Server as SecureServer } from 'node:https';
import type { HttpProblem } from '../http/openai-errors.ts';
import { management } from '../management/family.ts';

/** Headers that only belong to the protocol that was offered. */
const OF_UPGRADE = new Set(['upgrade', 'http2-settings']);

/**
 * Takes a request that offers another protocol as the plain one that it also is, as HTTP allows: clients such as Java's offer
 * HTTP/2 with every request. Once a server listens for upgrades, Node would else leave such a request without an answer.
 */
export function takeAsPlainHttp(
  server: Server,
  { method, url, httpVersion, rawHeaders }: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): void {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const [name = '', value = ''] = rawHeaders.slice(i, i + 2);
    if (OF_UPGRADE.has(name.toLowerCase())) continue;
    lines.push(`${name}: ${name.toLowerCase() === 'connection' ? withoutUpgrade(value) : value}`);
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]));
  // Of a secure connection this is the inner one, which is in the clear.
  server.emit(server instanceof SecureServer ? 'secureConnection' : 'connection', socket);
}

const withoutUpgrade = (connection: string): string =>
  connection
    .split(',')
    .map((name) => name.trim())
    .filter((name) => !OF_UPGRADE.has(name.toLowerCase()))
    .join(', ') || 'keep-alive';

/** Answers an upgrade with problem details, and ends the connection. */
export function refuseUpgrade(socket: Duplex, problem: HttpProblem): void {
  const { status, challenge, retryAfterSeconds } = problem;
  const body = management.errorBody(problem);
  socket.on('error', () => socket.destroy());
  socket.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      'Connection: close',
      `Content-Type: ${management.contentType}`,
      `Content-Length: ${Buffer.byteLength(body)}`,
      ...(challenge === undefined ? [] : [`WWW-Authenticate: ${challenge}`]),
      ...(retryAfterSeconds === undefined ? [] : [`Retry-After: ${Math.ceil(retryAfterSeconds)}`]),
      '',
      body,
    ].join('\r\n'),
  );
}
