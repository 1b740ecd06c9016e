import { request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** Resolves once `condition` holds; rejects with `what` after three seconds. */
export const until = async (what: string, condition: () => boolean): Promise<void> => {
  const deadlineMs = performance.now() + 3_000;
  while (!condition()) {
    if (performance.now() > deadlineMs) throw new Error(`in vain: ${what}`);
    await delay(2);
  }
};

export const chatBody = (extra: object = {}): string =>
  JSON.stringify({ model: 'tiny', messages: [{ role: 'user', content: 'hello' }], ...extra });

export const postChat = (baseUrl: string, init: RequestInit = {}): Promise<Response> =>
  fetch(`${baseUrl}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: chatBody(),
    ...init,
  });

/** A request that has been sent whole, and whose reply is read at the test's pace. */
export interface OpenRequest {
  readonly request: ClientRequest;
  readonly reply: Promise<IncomingMessage>;
}

/** Sends a chat request over a connection of its own. */
export const openChat = (port: number, body: string = chatBody()): OpenRequest => {
  const request = httpRequest({
    host: '127.0.0.1',
    port,
    method: 'POST',
    path: '/v1/chat/completions',
    agent: false,
    headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
  });
  const reply = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve).on('error', reject);
  });
  reply.catch(() => undefined);
  request.end(body);
  return { request, reply };
};

/** A bare connection and what came over it so far. */
export class RawClient {
  readonly socket: Socket;
  text = '';
  closed = false;

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.on('data', (chunk) => (this.text += chunk.toString('latin1')));
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => (this.closed = true));
  }
}
