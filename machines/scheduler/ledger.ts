import type { Failure } from '../failures.ts';
import type { Demand, SavedDemand } from '../planning/demand.ts';
import { clampKeepAlive } from '../planning/keep-alive.ts';
import { canServe, isReturning } from '../planning/sharing.ts';
import type { Claim, Decision, View, Waiting } from '../planning/view.ts';
import type { RunnerState } from '../runner/contract.ts';
import {
  sumBytes,
  type KeepAlive,
  type LeaseId,
  type ModelSpec,
  type Priority,
  type Reservation,
  type RunnerId,
} from '../vocabulary.ts';
import type { Request, SchedulerSettings } from './contract.ts';
import { ContextTable } from './context-table.ts';
import { DemandTable } from './demand-table.ts';
import { DeviceTable } from './device-table.ts';
import { History } from './history.ts';
import { QueueTables } from './queue-tables.ts';
import { newRunnerRow, type LeaseRow, type QueueTable, type RunnerRow } from './tables.ts';

/** How much later than it arrived a request stands in line. Bounded, so that no priority starves another. */
const HANDICAP_MS: Record<Priority, number> = { interactive: -30_000, normal: 0, batch: 60_000 };

const NOTHING: readonly never[] = [];

/**
 * The scheduler's tables: queues, leases, runners, devices, claims. They are large and change on every event, so the
 * statechart's context holds this one object and nothing is copied. Only the scheduler writes; the planner reads it as a
 * `View`.
 */
export class Ledger implements View {
  settings: View['settings'];
  readonly runners = new Map<RunnerId, RunnerRow>();
  readonly claims = new Map<string, Claim>();
  readonly exclusive = new Set<string>();
  readonly touched = new Set<string>();
  readonly leases = new Map<LeaseId, LeaseRow>();
  /** Why each cold class waits, as the planner last saw it. */
  waits: ReadonlyMap<string, string> = new Map();
  /** When the timer for the next plan fires; Infinity: none is armed. */
  armedForMs = Infinity;
  supply = 0;
  inventory = 0;
  readonly now: () => number;
  readonly #table: DeviceTable;
  readonly #history = new History();
  readonly #queues = new QueueTables();
  readonly #runnersByModel = new Map<string, RunnerRow[]>();
  readonly #contexts = new ContextTable();
  readonly #demand: DemandTable;
  #seq = 0;
  #runnerSeq = 0;
  #decisionSeq = 0;

  constructor(
    settings: SchedulerSettings,
    now: () => number,
    learned: Readonly<Record<string, SavedDemand>> = {},
  ) {
    this.#demand = new DemandTable(learned);
    this.settings = settings.plan;
    this.#table = new DeviceTable(settings.deviceLimits);
    this.now = now;
  }

  get queues(): ReadonlyMap<string, QueueTable> {
    return this.#queues.byClass;
  }
  get waitingCount(): number {
    return this.#queues.count;
  }
  get devices(): View['devices'] {
    return this.#table.rows;
  }
  runnersOf(model: string): readonly RunnerRow[] {
    return this.#runnersByModel.get(model) ?? NOTHING;
  }
  queuesOf(model: string): readonly QueueTable[] {
    return this.#queues.ofModel(model);
  }
  get pooledDemand(): Demand {
    return this.#demand.pooled;
  }
  demandOf(model: string): Demand {
    return this.#demand.of(model);
  }
  /** What was learned of each model's demand, to be kept across restarts. */
  savedDemand(): Record<string, SavedDemand> {
    return this.#demand.saved();
  }
  reloadSecondsOf(spec: ModelSpec): number {
    return this.#history.reloadSecondsOf(spec);
  }
  retryAtMs(model: string): number {
    return this.#history.retryAtMs(model);
  }
  nextRunnerId(): RunnerId {
    return `runner-${++this.#runnerSeq}`;
  }
  nextDecisionSeq(): number {
    return ++this.#decisionSeq;
  }
  waitingOf(leaseId: LeaseId): Waiting | undefined {
    return this.#queues.get(leaseId);
  }
  allWaiting(): readonly Waiting[] {
    return this.#queues.all();
  }
  laggingDevices(reservation: Reservation): string[] {
    return Object.keys(reservation).filter((id) => this.devices.get(id)?.kind === 'discrete');
  }

  /** Notes that a request has come; it is in no queue yet. */
  receive(request: Request): Waiting {
    const nowMs = this.now();
    const { leaseId } = request;
    const spec = this.#contexts.fitted(request.spec, this.devices.values());
    if (!request.isRetry) this.#demand.record(spec.name, nowMs);
    return {
      leaseId,
      spec,
      arrivedAtMs: nowMs,
      placeMs: nowMs + HANDICAP_MS[request.priority],
      seq: ++this.#seq,
      priority: request.priority,
      keepAlive: clampKeepAlive(request.keepAlive, spec.keepAliveLimit),
      deadlineMs: nowMs + Math.min(request.waitLimitMs, spec.waitLimitMs ?? Infinity),
    };
  }

  /** Puts a request in line. */
  enqueue(waiting: Waiting): void {
    this.#queue(waiting);
  }

  /** Gives a request to a runner without a queue between. */
  grantAtOnce(waiting: Waiting, runnerId: RunnerId): void {
    const runner = this.runners.get(runnerId);
    if (runner) this.#lease(waiting, runner);
  }

  /** Takes a request out of its queue; false when it waits no longer. */
  withdraw(leaseId: LeaseId): boolean {
    const waiting = this.#queues.get(leaseId);
    if (waiting) this.#unqueue(waiting);
    return waiting !== undefined;
  }

  /** A request waits again at its old place: the runner that it was given to would not have it. */
  requeue(leaseId: LeaseId): void {
    const lease = this.#dropLease(leaseId);
    if (lease) this.#queue(lease.waiting);
  }

  /** Ends a lease; returns it when there was one. `isServed` is false when its runner was lost under it. */
  release(leaseId: LeaseId, isServed = true): LeaseRow | undefined {
    const lease = this.#dropLease(leaseId);
    const runner = lease && this.runners.get(lease.runnerId);
    if (!lease || !runner) return lease;
    runner.lastUsedAtMs = this.now();
    if (isServed) this.#history.noteServed(runner.spec.name);
    return lease;
  }

  apply(decision: Exclude<Decision, { kind: 'start' }>): void {
    switch (decision.kind) {
      case 'grant':
        this.#grant(decision.leaseId, decision.runnerId);
        break;
      case 'refuse':
        this.withdraw(decision.leaseId);
        break;
      case 'claim': {
        const { spec, reservation, awaits } = decision;
        this.claims.set(decision.classKey, { spec, reservation, awaits, sinceMs: this.now() });
        this.#table.add('claimedBytes', reservation);
        for (const victim of decision.victims) this.dismiss(victim.runnerId);
        break;
      }
      case 'evict':
        this.dismiss(decision.runnerId);
        break;
      case 'unclaim':
        this.#unclaim(decision.classKey);
        break;
      case 'rest':
        this.waits = decision.waits;
        this.touched.clear();
        break;
    }
  }

  /** Enters a new runner: its memory is reserved from this moment. */
  addRunner(runnerId: RunnerId, spec: ModelSpec, reservation: Reservation): RunnerRow {
    this.#unclaim(spec.classKey);
    const row = newRunnerRow(runnerId, spec, reservation, this.now());
    this.runners.set(runnerId, row);
    this.#runnersByModel.set(spec.name, [...this.runnersOf(spec.name), row]);
    this.#table.add('reservedBytes', reservation);
    return row;
  }

  /** A runner has to go: from now on it is no candidate for anything. */
  dismiss(runnerId: RunnerId): void {
    const runner = this.runners.get(runnerId);
    if (!runner) return;
    runner.isDismissed = true;
    if (!isReturning(runner)) this.moveRunner(runner, 'expiring', runner.reason);
  }

  moveRunner(runner: RunnerRow, state: RunnerState, reason: string): void {
    const isLeaving = isReturning({ state });
    if (isLeaving && !isReturning(runner)) this.#table.add('returningBytes', runner.reservation);
    this.supply++;
    runner.state = state;
    runner.reason = reason;
    runner.stateSinceMs = this.now();
    if (state !== 'idle') runner.overstayed = false;
    if (isLeaving) runner.isSettled = false;
    this.touched.add(runner.spec.name);
  }

  noteLoaded(runner: RunnerRow, slots: number | null): number {
    runner.readyAtMs = this.now();
    this.moveRunner(runner, 'idle', 'loaded');
    if (slots !== null) runner.slots = Math.min(slots, runner.spec.launch.slots);
    const loadMs = runner.readyAtMs - runner.startedAtMs;
    this.#history.noteLoaded(runner.spec, loadMs);
    return loadMs;
  }

  /**
   * What a runner really holds replaces what was predicted. A configured need stays: its owner knows better. True when it is worth
   * remembering: not with one context of several.
   */
  measure(runner: RunnerRow, use: Reservation): boolean {
    if (runner.spec.needSource === 'configured' || isReturning(runner) || sumBytes(use) <= 0) return false;
    this.supply++;
    this.#table.subtract('reservedBytes', runner.reservation);
    runner.measuredBytes = sumBytes(use);
    for (const [id, bytes] of Object.entries(use))
      runner.reservation = { ...runner.reservation, [id]: Math.ceil(bytes) };
    this.#table.add('reservedBytes', runner.reservation);
    return runner.spec.contexts === undefined;
  }

  removeRunner(runner: RunnerRow): void {
    this.supply++;
    for (const leaseId of runner.leases) this.leases.delete(leaseId);
    this.#table.subtract('reservedBytes', runner.reservation);
    if (isReturning(runner)) this.#table.subtract('returningBytes', runner.reservation);
    this.runners.delete(runner.id);
    const left = this.runnersOf(runner.spec.name).filter((row) => row !== runner);
    if (left.length > 0) this.#runnersByModel.set(runner.spec.name, left);
    else this.#runnersByModel.delete(runner.spec.name);
    this.touched.add(runner.spec.name);
  }

  /**
   * After a load that ended in failure: the requests that it was for, taken out of their queues; none when the load may be
   * tried again after it ran out of memory: with less context if that is ours to choose, else alone on its device.
   */
  takeFailed(runner: RunnerRow, failure: Failure): readonly Waiting[] {
    runner.hasFailed = true;
    this.#history.noteFailure(runner.spec.name, failure, this.now());
    const { classKey } = runner.spec;
    if (failure.code === 'load_out_of_memory' && this.#lowerContext(runner.spec)) return NOTHING;
    const hasNeighbours = [...this.runners.values()].some(
      (other) => other !== runner && Object.keys(other.reservation).some((id) => id in runner.reservation),
    );
    if (failure.code === 'load_out_of_memory' && hasNeighbours && !this.exclusive.has(classKey)) {
      this.exclusive.add(classKey);
      return NOTHING;
    }
    this.exclusive.delete(classKey);
    return this.takeWaiting(runner.spec.name, (spec) => canServe(runner.spec, spec));
  }

  #lowerContext(spec: ModelSpec): boolean {
    const lower = this.#contexts.lower(spec);
    if (lower === null) return false;
    const queue = this.queues.get(spec.classKey);
    if (queue) queue.spec = lower;
    return true;
  }

  /** Takes a model's waiting requests out of their queues. */
  takeWaiting(model: string, matches: (spec: ModelSpec) => boolean = () => true): readonly Waiting[] {
    const taken = this.queuesOf(model).flatMap((queue) => (matches(queue.spec) ? [...queue.arrivals] : []));
    for (const waiting of taken) this.#unqueue(waiting);
    return taken;
  }

  /** Its keep-alive has ended, and it stays only until its memory is wanted. */
  noteOverstayed(runner: RunnerRow): void {
    runner.overstayed = true;
    this.supply++;
  }

  keep(runner: RunnerRow, keepAlive: KeepAlive, pinned: boolean): void {
    runner.keepAlive = keepAlive;
    runner.pinned = pinned;
    runner.spec = { ...runner.spec, keepAlive, pinned };
    this.supply++;
  }

  /** New settings, for whatever is decided from now on. */
  configure({ plan, deviceLimits }: SchedulerSettings): void {
    this.settings = plan;
    this.#table.limit(deviceLimits);
    this.supply++;
    this.inventory++;
  }

  /** A model is another one now: those who wait for it want that, and what its loads were like says nothing any more. */
  redefine(spec: ModelSpec): void {
    this.#history.forget(spec.name);
    const fitted = this.#contexts.fitted(spec, this.devices.values());
    for (const waiting of this.takeWaiting(spec.name)) this.#queue({ ...waiting, spec: fitted });
    for (const runner of this.runnersOf(spec.name)) {
      const { classKey, launch, needBytes, needSource } = runner.spec;
      if (classKey === spec.classKey) runner.spec = { ...spec, launch, needBytes, needSource };
    }
    // It may need other memory now than it was promised.
    this.#unclaim(spec.classKey);
  }

  noteCrash(model: string, failure: Failure): void {
    this.#history.noteFailure(model, failure, this.now());
  }

  read(readings: Parameters<DeviceTable['read']>[0]): void {
    this.supply++;
    this.inventory++;
    this.#table.read(readings, [...this.runners.values()]);
    for (const runner of this.runners.values()) runner.isSettled = runner.readyAtMs !== null;
    // Who came before the devices were known.
    for (const queue of this.queues.values()) {
      queue.spec = this.#contexts.fitted(queue.spec, this.devices.values());
    }
  }

  #grant(leaseId: LeaseId, runnerId: RunnerId): void {
    const waiting = this.#queues.get(leaseId);
    const runner = this.runners.get(runnerId);
    if (!waiting || !runner) return;
    this.#unqueue(waiting);
    this.#lease(waiting, runner);
  }

  #lease(waiting: Waiting, runner: RunnerRow): void {
    const { leaseId } = waiting;
    runner.leases.add(leaseId);
    runner.lastUsedAtMs = this.now();
    if (runner.state === 'idle') this.moveRunner(runner, 'ready', 'serving');
    if (waiting.keepAlive !== null) runner.keepAlive = waiting.keepAlive;
    this.leases.set(leaseId, { waiting, runnerId: runner.id, grantedAtMs: this.now(), isOpen: false });
  }

  #dropLease(leaseId: LeaseId): LeaseRow | undefined {
    const lease = this.leases.get(leaseId);
    if (!lease) return undefined;
    this.leases.delete(leaseId);
    this.touched.add(lease.waiting.spec.name);
    const runner = this.runners.get(lease.runnerId);
    runner?.leases.delete(leaseId);
    // Ready and idle differ in the leases alone, which are counted here.
    if (runner?.state === 'ready' && runner.leases.size === 0)
      this.moveRunner(runner, 'idle', 'its last lease ended');
    return lease;
  }

  #queue(waiting: Waiting): void {
    this.#queues.add(waiting);
    this.touched.add(waiting.spec.name);
  }

  #unqueue(waiting: Waiting): void {
    if (!this.#queues.remove(waiting)) return;
    const { name } = waiting.spec;
    this.touched.add(name);
    // A load that nobody waits for any more may be given up, and one with other options may take its place.
    const mayGo = this.runnersOf(name).some((runner) => runner.state === 'loading');
    if (mayGo || this.queuesOf(name).length > 0) this.supply++;
  }

  #unclaim(classKey: string): void {
    const claim = this.claims.get(classKey);
    if (!claim) return;
    this.supply++;
    this.claims.delete(classKey);
    this.#table.subtract('claimedBytes', claim.reservation);
  }
}
