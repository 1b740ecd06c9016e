import type { DecisionRecord } from '../machines/scheduler/contract.ts';

/** Decisions that are kept; the older ones are dropped. */
const KEPT = 1_000;

/** The last decisions, for people who ask why. */
export class DecisionLog {
  readonly #records: DecisionRecord[] = [];

  add(record: DecisionRecord): void {
    this.#records.push(record);
    if (this.#records.length > 2 * KEPT) this.#records.splice(0, this.#records.length - KEPT);
  }

  /** Oldest first. */
  latest(): readonly DecisionRecord[] {
    return this.#records.slice(-KEPT);
  }
}
