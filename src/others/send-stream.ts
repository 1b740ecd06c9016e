import type { ServerResponse } from 'node:http';

/** Text that a slow reader may have waiting for it, in bytes; what comes beyond that is left out. */
const MOST_WAITING_BYTES = 256 * 1024;
/** Proxies in between close a connection on which nothing moves. */
const SIGN_EVERY_MS = 15_000;

export interface StreamText {
  readonly type: 'text/plain' | 'text/event-stream';
  /** Said when nothing else is for a while; nothing without it. */
  readonly sign?: string;
  /** Begins to say things; the answer ends it. `end` ends the reply. */
  readonly begin: (say: (text: string) => void, end: () => void) => () => void;
}

/** Sends text as it comes, until the client leaves or there is no more. To a HEAD it sends what it would begin with. */
export function sendStream(response: ServerResponse, { type, sign, begin }: StreamText): void {
  response.writeHead(200, {
    'content-type': `${type}; charset=utf-8`,
    'cache-control': 'no-cache',
    'x-accel-buffering': 'no',
    'x-content-type-options': 'nosniff',
  });
  if (response.req.method === 'HEAD') return void response.end();
  response.flushHeaders();
  const stop = begin(
    (text) => {
      if (response.writableLength < MOST_WAITING_BYTES) response.write(text);
    },
    () => response.end(),
  );
  const timer = sign === undefined ? null : setInterval(() => response.write(sign), SIGN_EVERY_MS);
  response.once('close', () => {
    stop();
    if (timer) clearInterval(timer);
  });
}
