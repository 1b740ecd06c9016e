import type { LeaseId } from '../../machines/vocabulary.ts';
import type { LeaseDesk } from '../lease.ts';
import type { Exchange } from './exchange.ts';
import type { HttpLimits } from './limits.ts';

/** What a client is sent while it waits for its stream to begin. */
export type Signs = 'none' | 'comments' | 'progress';

const COMMENT = ': waiting\n\n';

/**
 * Keeps the connection of a waiting client alive: after a while its stream of events is begun, and goes on with a comment
 * now and then, or with `corral.progress` events if the client has asked for them. From then on the reply's status is 200,
 * and whatever goes wrong has to be told as an event.
 */
export class WaitingSigns {
  readonly #exchange: Exchange;
  readonly #desk: LeaseDesk;
  readonly #everyMs: number;
  readonly #tellsProgress: boolean;
  #leaseId: LeaseId | null = null;
  #timer: NodeJS.Timeout;

  constructor(exchange: Exchange, desk: LeaseDesk, limits: HttpLimits, signs: Exclude<Signs, 'none'>) {
    this.#exchange = exchange;
    this.#desk = desk;
    this.#tellsProgress = signs === 'progress';
    this.#everyMs = this.#tellsProgress ? limits.progressEveryMs : limits.waitSignEveryMs;
    this.#timer = setTimeout(this.#send, this.#everyMs);
  }

  /** For the desk to say which request it is. */
  readonly onQueued = (id: LeaseId): void => {
    this.#leaseId = id;
  };

  stop(): void {
    clearTimeout(this.#timer);
  }

  readonly #send = (): void => {
    const { response } = this.#exchange;
    if (response.destroyed) return;
    if (!response.headersSent)
      response.writeHead(200, {
        'content-type': 'text/event-stream',
        'cache-control': 'no-cache',
        'x-accel-buffering': 'no',
      });
    // A client that does not read needs no more signs.
    if (!response.writableNeedDrain) response.write(this.#sign());
    this.#timer = setTimeout(this.#send, this.#everyMs);
  };

  #sign(): string {
    const progress =
      this.#tellsProgress && this.#leaseId !== null ? this.#desk.progressOf(this.#leaseId) : null;
    return progress ? `event: corral.progress\ndata: ${JSON.stringify(progress)}\n\n` : COMMENT;
  }
}
