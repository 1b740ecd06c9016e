import {
  emptyDemand,
  recordArrival,
  restoreDemand,
  saveDemand,
  type Demand,
  type SavedDemand,
} from '../planning/demand.ts';

/** How each model is asked for, and the mean of all, which speaks for those of which little is known. */
export class DemandTable {
  readonly pooled: Demand = emptyDemand();
  readonly #models = new Map<string, Demand>();

  constructor(learned: Readonly<Record<string, SavedDemand>>) {
    for (const [model, saved] of Object.entries(learned))
      this.#models.set(model, restoreDemand(saved, this.pooled));
  }

  of(model: string): Demand {
    let demand = this.#models.get(model);
    if (!demand) this.#models.set(model, (demand = emptyDemand()));
    return demand;
  }

  record(model: string, nowMs: number): void {
    recordArrival(this.of(model), this.pooled, nowMs);
  }

  /** To be kept across restarts. */
  saved(): Record<string, SavedDemand> {
    return Object.fromEntries([...this.#models].map(([model, demand]) => [model, saveDemand(demand)]));
  }
}
