import { noDemand, saveDemand, type Demand, type SavedDemand } from '../planning/demand.ts';
import type { ClassQueue, View, Waiting } from '../planning/view.ts';
import type { LeaseId, ModelSpec, Reservation, RunnerId } from '../vocabulary.ts';
import type { LeaseRow, RunnerRow, Tables } from './tables.ts';

const NOTHING: readonly never[] = [];

/** The scheduler's tables, to read: what the planner decides on, and what people are shown. */
export class LedgerReader implements View {
  readonly now: () => number;
  protected tables: Tables;

  constructor(tables: Tables, now: () => number) {
    this.tables = tables;
    this.now = now;
  }

  get settings(): View['settings'] {
    return this.tables.settings;
  }
  get devices(): View['devices'] {
    return this.tables.devices;
  }
  get runners(): ReadonlyMap<RunnerId, RunnerRow> {
    return this.tables.runners;
  }
  get queues(): ReadonlyMap<string, ClassQueue> {
    return this.tables.queues;
  }
  get leases(): ReadonlyMap<LeaseId, LeaseRow> {
    return this.tables.leases;
  }
  get claims(): View['claims'] {
    return this.tables.claims;
  }
  get exclusive(): View['exclusive'] {
    return this.tables.exclusive;
  }
  get touched(): View['touched'] {
    return this.tables.touched;
  }
  get inventory(): object {
    return this.tables.inventory;
  }
  get supply(): object {
    return this.tables.supply;
  }
  get pooledDemand(): Demand {
    return this.tables.pooledDemand;
  }
  /** Why each cold class waits, as the planner last saw it. */
  get waits(): ReadonlyMap<string, string> {
    return this.tables.waits;
  }
  get armedForMs(): number {
    return this.tables.armedForMs;
  }
  get waitingCount(): number {
    let count = 0;
    for (const { order } of this.queues.values()) count += order.length;
    return count;
  }
  runnersOf(model: string): readonly RunnerRow[] {
    const ids = this.tables.runnersByModel.get(model);
    return ids === undefined ? NOTHING : ids.flatMap((id) => this.runners.get(id) ?? NOTHING);
  }
  queuesOf(model: string): readonly ClassQueue[] {
    if (this.queues.size === 0) return NOTHING;
    return [...this.queues.values()].filter(({ spec }) => spec.name === model);
  }
  demandOf(model: string): Demand {
    return this.tables.demand.get(model) ?? noDemand;
  }
  /** What was learned of each model's demand, to be kept across restarts. */
  savedDemand(): Record<string, SavedDemand> {
    return Object.fromEntries([...this.tables.demand].map(([model, demand]) => [model, saveDemand(demand)]));
  }
  /** Seconds that loading it again would cost; before the first load, the estimate. */
  reloadSecondsOf(spec: ModelSpec): number {
    return this.tables.loadSeconds.get(spec.name) ?? spec.loadEstimateMs / 1000;
  }
  retryAtMs(model: string): number {
    return this.tables.failures.get(model)?.retryAtMs ?? 0;
  }
  waitingOf(leaseId: LeaseId): Waiting | undefined {
    for (const { order } of this.queues.values()) {
      const found = order.find((waiting) => waiting.leaseId === leaseId);
      if (found) return found;
    }
    return undefined;
  }
  allWaiting(): readonly Waiting[] {
    return [...this.queues.values()].flatMap(({ order }) => order).toSorted((a, b) => a.seq - b.seq);
  }
  laggingDevices(reservation: Reservation): string[] {
    return Object.keys(reservation).filter((id) => this.devices.get(id)?.kind === 'discrete');
  }
}
