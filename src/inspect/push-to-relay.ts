import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import { WebSocket } from 'ws';
import { realClock, type Clock } from '../clock.ts';
import type { Inspection } from './inspection.ts';

/** Between two tries to reach a relay, in ms. */
const RETRY_MS = 2_000;

/**
 * Connects to a relay that listens for `createWebSocketInspector`, such as that of `@statelyai/inspect/server`, and pushes to it
 * what inspectors are told; connects again whenever that is lost. The answer ends it.
 */
export function pushToRelay(
  inspection: Inspection,
  url: string,
  log: Logger,
  clock: Clock = realClock,
): () => void {
  let socket: WebSocket;
  let retry: unknown = null;
  let isFailing = false;
  let isOver = false;
  const open = (): void => {
    let connection: Socket;
    socket = new WebSocket(url, { perMessageDeflate: false });
    socket.on('upgrade', (response) => (connection = response.socket));
    socket.on('open', () => {
      isFailing = false;
      log.info({ event: 'inspect.relay', url }, 'pushing to the relay');
      inspection.admit(socket, connection);
    });
    socket.on('error', ({ message }) => {
      // Once, and not with every try.
      if (!isFailing && !isOver)
        log.warn({ event: 'inspect.relay', url }, `the relay cannot be reached: ${message}`);
      isFailing = true;
    });
    socket.on('close', () => {
      if (!isOver) retry = clock.setTimeout(open, RETRY_MS);
    });
  };
  open();
  return () => {
    isOver = true;
    clock.clearTimeout(retry as never);
    socket.close(1001, 'Corral stops');
  };
}
