import { VirtualClock } from '../../src/simulation/virtual-clock.ts';

/** How far a clock's timers and its time are from the truth. */
export interface Unsteadiness {
  /** What becomes of each delay: real timers drop fractions, and are late on a busy machine. */
  readonly delayOf?: (delayMs: number) => number;
}

/** A clock whose timers fire early or late, and whose time jumps: what real ones do, in virtual time. */
export class UnsteadyClock {
  readonly #steady: VirtualClock;
  readonly #delayOf: (delayMs: number) => number;
  #offsetMs = 0;

  constructor(steady: VirtualClock, { delayOf = (delayMs) => delayMs }: Unsteadiness) {
    this.#steady = steady;
    this.#delayOf = delayOf;
  }

  readonly now = (): number => this.#steady.now() + this.#offsetMs;

  readonly setTimeout = (fire: () => void, delayMs: number): number =>
    this.#steady.setTimeout(fire, this.#delayOf(delayMs));

  readonly clearTimeout = (id: number): void => this.#steady.clearTimeout(id);

  /** Its time is another one from now on; timers that run stay as they are. */
  jump(ms: number): void {
    this.#offsetMs += ms;
  }
}
