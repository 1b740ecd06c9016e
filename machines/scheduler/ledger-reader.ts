import type { Failure } from '../failures.ts';
import type { ModelState } from '../model/contract.ts';
import { newModelRow } from '../model/step.ts';
import type { Demand } from '../planning/demand.ts';
import type { SavedDemand } from '../planning/habits.ts';
import { habitsOf, saveLearned } from '../planning/learned.ts';
import { lastFailure, noFailures, type LoadFailures } from '../planning/load-failures.ts';
import { rowsOf, type Rows, type Table } from '../planning/table.ts';
import type { ClassQueue, View, Waiting } from '../planning/view.ts';
import type { LeaseId, ModelSpec, Reservation } from '../vocabulary.ts';
import type { RunnerRow, Tables } from './tables.ts';

const NOTHING: readonly never[] = [];

/** The scheduler's tables, to read: what the planner decides on, and what people are shown. */
export class LedgerReader implements View {
  readonly now: () => number;
  protected tables: Tables;
  /** Made once for each table. */
  #known: { readonly table: Table<RunnerRow>; readonly rows: Rows<RunnerRow> } | null = null;

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
  get runners(): Rows<RunnerRow> {
    const { runners } = this.tables;
    if (this.#known?.table !== runners) this.#known = { table: runners, rows: rowsOf(runners) };
    return this.#known.rows;
  }
  get queues(): ReadonlyMap<string, ClassQueue> {
    return this.tables.queues;
  }
  get claims(): View['claims'] {
    return this.tables.claims;
  }
  /** Where each model's chart stands. */
  get models(): Tables['models'] {
    return this.tables.models;
  }
  /** Pinned models, whether they are loaded or not, as they are brought back. */
  get pinned(): readonly ModelSpec[] {
    return [...this.models.values()].flatMap(({ context }) => context.pinnedAs ?? NOTHING);
  }
  /** Where a model's chart stands. */
  modesOf(model: string): ModelState {
    return (this.models.get(model) ?? newModelRow(model)).state;
  }
  isPinned(model: string): boolean {
    return this.models.get(model)?.state.pin === 'pinned';
  }
  getsDeviceAlone({ name, classKey }: ModelSpec): boolean {
    const row = this.models.get(name);
    return row?.state.device === 'alone' && row.context.alone.includes(classKey);
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
    return this.tables.learned.pooled;
  }
  /** Why each cold class waits, as the planner last saw it. */
  get waits(): ReadonlyMap<string, string> {
    return this.tables.waits;
  }
  get armedForMs(): number {
    return this.tables.armedForMs;
  }
  /** How many requests are being served. */
  get leaseCount(): number {
    let count = 0;
    for (const { leases } of this.runners.values()) count += leases;
    return count;
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
  runnersOfClass(classKey: string): readonly RunnerRow[] {
    return [...this.runners.values()].filter(({ spec }) => spec.classKey === classKey);
  }
  queuesOf(model: string): readonly ClassQueue[] {
    if (this.queues.size === 0) return NOTHING;
    return [...this.queues.values()].filter(({ spec }) => spec.name === model);
  }
  demandOf(model: string): Demand {
    return habitsOf(this.tables.learned, model).demand;
  }
  /** What was learned of each model's use, to be kept across restarts. */
  savedDemand(): Record<string, SavedDemand> {
    return saveLearned(this.tables.learned);
  }
  /** How long its loads take; before the first, the estimate. */
  reloadSecondsOf(spec: ModelSpec): number {
    return habitsOf(this.tables.learned, spec.name).history.reloadSeconds ?? spec.loadEstimateMs / 1000;
  }
  crowdOf(spec: ModelSpec): number {
    return Math.max(1, habitsOf(this.tables.learned, spec.name).history.crowd ?? 1);
  }
  serviceSecondsOf(spec: ModelSpec): number {
    return habitsOf(this.tables.learned, spec.name).history.serviceSeconds ?? 0;
  }
  sparingOf(model: string): number {
    return habitsOf(this.tables.learned, model).sparing.pays;
  }
  /** Why a model that has no process failed the last time; null where it did not, or has loaded since. */
  lastFailureOf(model: string): Failure | null {
    return lastFailure(this.failuresOf(model));
  }
  /** Models that are not there because their last load, or the process that it made, has failed. */
  failedModels(): readonly (readonly [model: string, failure: Failure])[] {
    return [...this.models.keys()].flatMap((model) => {
      const failure = this.runnersOf(model).length > 0 ? null : this.lastFailureOf(model);
      return failure ? [[model, failure] as const] : [];
    });
  }
  failuresOf(model: string): LoadFailures {
    return this.models.get(model)?.context.failures ?? noFailures;
  }
  retryAtMs(model: string): number {
    const row = this.models.get(model);
    return row?.state.loads === 'backing-off' ? row.context.failures.retryAtMs : 0;
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
