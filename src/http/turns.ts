import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/**
 * Who of a connection's requests is served: one after the other, also where a client sends several at once. A reply that is not
 * its connection's turn yet would never hear of the connection's end, and hold what it holds for ever.
 */
export class Turns {
  readonly #latest = new WeakMap<Duplex, ServerResponse>();
  readonly #served = new WeakMap<Duplex, ServerResponse>();

  /** Null where it is a request's turn already; else resolves when it is, with false if its connection has ended. */
  wait({ socket }: IncomingMessage, response: ServerResponse): Promise<boolean> | null {
    const before = this.#latest.get(socket);
    this.#latest.set(socket, response);
    if (!before || before.writableFinished) {
      this.#served.set(socket, response);
      return null;
    }
    return new Promise((resolve) => {
      before.once('close', () => {
        this.#served.set(socket, response);
        resolve(!socket.destroyed);
      });
    });
  }

  /** Whether bytes of a reply are on a connection, and not yet all. */
  isReplying(socket: Duplex): boolean {
    const reply = this.#served.get(socket);
    return reply !== undefined && reply.headersSent && !reply.writableFinished;
  }
}
