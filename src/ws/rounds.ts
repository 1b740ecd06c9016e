import type { WsLimits } from './limits.ts';

/** Who has something to send. */
export interface Sender {
  flush(): void;
}

/**
 * Has many readers sent what waits for them, a few at a time, with a rest after each round that was not enough: no inference
 * waits until the last of 500 readers has been told of a change, and most meet none of it.
 */
export class Rounds {
  readonly #waiting = new Set<Sender>();
  readonly #limits: Pick<WsLimits, 'roundMs' | 'restMs'>;
  #isScheduled = false;

  constructor(limits: Pick<WsLimits, 'roundMs' | 'restMs'>) {
    this.#limits = limits;
  }

  /** It has its turn soon, however often it is entered until then. */
  enter(sender: Sender): void {
    this.#waiting.add(sender);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(this.#round);
  }

  /** It has nothing to send any more. */
  leave(sender: Sender): void {
    this.#waiting.delete(sender);
  }

  readonly #round = (): void => {
    const endMs = performance.now() + this.#limits.roundMs;
    for (const sender of this.#waiting) {
      this.#waiting.delete(sender);
      sender.flush();
      if (performance.now() >= endMs) break;
    }
    this.#isScheduled = this.#waiting.size > 0;
    if (this.#isScheduled) setTimeout(this.#round, this.#limits.restMs);
  };
}
