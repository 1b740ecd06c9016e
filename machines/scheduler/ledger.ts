import type { Failure } from '../failures.ts';
import { withContextFor, withLessContext } from '../planning/context.ts';
import { emptyQueue, withoutWaiting, withWaiting } from '../planning/queues.ts';
import { withExpertsAside } from '../planning/experts-aside.ts';
import { canServe, isReturning, isServing } from '../planning/sharing.ts';
import { withoutRow, withRow } from '../planning/table.ts';
import type { ClassQueue, Decision, Waiting } from '../planning/view.ts';
import type { RunnerState } from '../runner/contract.ts';
import {
  type DeviceReading,
  type KeepAlive,
  type LeaseId,
  type ModelSpec,
  type Reservation,
  type RunnerId,
} from '../vocabulary.ts';
import type { DoorUse, Request, SchedulerSettings } from './contract.ts';
import { limited, readInto } from './device-rows.ts';
import { MemoryLedger } from './memory-ledger.ts';
import { newRunnerRow, type RunnerRow } from './tables.ts';
import { newWaiting } from './waiting.ts';

const NOTHING: readonly never[] = [];

/**
 * The tables during one transition of the scheduler: each change makes new tables and leaves those that it began with as they were.
 * Rows are replaced, never written; whoever holds a row over a change holds an old one, so they are passed by id.
 */
export class Ledger extends MemoryLedger {
  /** The timer for the next plan fires then; Infinity: none is armed. */
  arm(atMs: number): void {
    this.change({ armedForMs: atMs });
  }

  nextRunnerId(): RunnerId {
    this.change({ runnerSeq: this.tables.runnerSeq + 1 });
    return `runner-${this.tables.runnerSeq}`;
  }
  nextDecisionSeq(): number {
    this.change({ decisionSeq: this.tables.decisionSeq + 1 });
    return this.tables.decisionSeq;
  }

  /** Notes that a request has come; it is in no queue yet. */
  receive(request: Request): Waiting {
    const spec = this.#fitted(request.spec);
    if (!request.isRetry) this.noteAskedFor(spec, this.now());
    this.change({ seq: this.tables.seq + 1 });
    return newWaiting({ ...request, spec }, this.now(), this.tables.seq);
  }

  /** Puts a request in line. */
  enqueue(waiting: Waiting): void {
    const { classKey, name } = waiting.spec;
    const isFirst = this.queuesOf(name).length === 0;
    const queue = this.queues.get(classKey) ?? emptyQueue(waiting.spec);
    this.#setQueue(classKey, withWaiting(queue, waiting));
    this.#touch(name);
    if (isFirst) this.noteWaiting(name);
  }

  /** Takes a request out of its queue; false when it waits no longer. */
  withdraw(leaseId: LeaseId): boolean {
    const waiting = this.waitingOf(leaseId);
    if (waiting) this.#unqueue(waiting);
    return waiting !== undefined;
  }

  /** What has happened at the doors, in order. */
  noteUses(uses: readonly DoorUse[]): void {
    for (const use of uses) {
      const runner = this.runners.get(use.runnerId);
      if (runner) this.#noteUse(runner, use);
    }
  }

  #noteUse(runner: RunnerRow, use: DoorUse): void {
    const { id, spec } = runner;
    if (use.kind === 'entered') {
      if (!use.isRetry) this.noteAskedFor(spec, use.atMs);
      return this.#enter(runner, use.keepAlive, use.atMs);
    }
    const leases = Math.max(0, runner.leases - 1);
    const isIdle = runner.state === 'ready' && leases === 0;
    this.patch(id, {
      leases,
      lastUsedAtMs: use.atMs,
      ...(isIdle && { state: 'idle', reason: 'its last lease ended', stateSinceMs: use.atMs }),
    });
    if (isIdle) this.changeSupply();
    this.#touch(spec.name);
    this.noteAnswered(spec.name, use.atMs, use.servedMs);
    if (use.servedMs !== null && this.failuresOf(spec.name).count > 0)
      this.tell(spec.name, { type: 'request.served' });
  }

  /** A request that has waited was let in nowhere: the door was closed by then, and nobody else is sent there. */
  putBack(waiting: Waiting, runnerId: RunnerId): void {
    const runner = this.runners.get(runnerId);
    if (runner) {
      this.patch(runnerId, { leases: Math.max(0, runner.leases - 1) });
      this.dismiss(runnerId);
    }
    this.enqueue(waiting);
  }

  apply(decision: Exclude<Decision, { kind: 'start' }>): void {
    switch (decision.kind) {
      case 'grant': {
        const waiting = this.waitingOf(decision.leaseId);
        if (!waiting || !this.runners.has(decision.runnerId)) return;
        this.#unqueue(waiting);
        const runner = this.runners.get(decision.runnerId);
        if (runner) this.#enter(runner, waiting.keepAlive, this.now());
        return;
      }
      case 'refuse':
        this.withdraw(decision.leaseId);
        return;
      case 'claim': {
        const { classKey, spec, reservation, awaits } = decision;
        this.unclaim(classKey);
        this.set('claims', this.claims, classKey, { spec, reservation, awaits, sinceMs: this.now() });
        this.addBytes('claimedBytes', reservation);
        this.tell(spec.name, { type: 'memory.claimed' });
        for (const { runnerId } of decision.victims) {
          this.noteEviction(runnerId, classKey);
          this.displace(runnerId);
          this.dismiss(runnerId);
        }
        return;
      }
      case 'evict':
        if (decision.code !== 'load_abandoned') this.displace(decision.runnerId);
        return this.dismiss(decision.runnerId);
      case 'unclaim':
        return this.unclaim(decision.classKey);
      case 'rest':
        return this.change({
          waits: decision.waits,
          ...(this.touched.size > 0 && { touched: new Set() }),
        });
    }
  }

  /** Enters a new runner: its memory is reserved from this moment. */
  addRunner(runnerId: RunnerId, spec: ModelSpec, reservation: Reservation): void {
    this.unclaim(spec.classKey);
    const runner = newRunnerRow(runnerId, spec, reservation, this.now());
    this.change({ runners: withRow(this.tables.runners, runnerId, runner) });
    const { runnersByModel } = this.tables;
    this.set('runnersByModel', runnersByModel, spec.name, [
      ...(runnersByModel.get(spec.name) ?? NOTHING),
      runnerId,
    ]);
    this.addBytes('reservedBytes', reservation);
    this.tell(spec.name, { type: 'process.starting' });
    if (spec.pinned) this.pin(spec);
  }

  /** A promise on a device that is paused is none. */
  unclaimOn(isTaken: (reservation: Reservation) => boolean): void {
    for (const [classKey, { reservation }] of this.claims) if (isTaken(reservation)) this.unclaim(classKey);
  }

  /** A runner has to go: from now on it is no candidate for anything. */
  dismiss(runnerId: RunnerId): void {
    const runner = this.runners.get(runnerId);
    if (runner && !isReturning(runner)) this.moveRunner(runnerId, 'expiring', runner.reason);
  }

  moveRunner(runnerId: RunnerId, state: RunnerState, reason: string): void {
    const runner = this.runners.get(runnerId);
    if (!runner) return;
    const isLeaving = isReturning({ state }) && !isReturning(runner);
    if (isLeaving) this.addBytes('returningBytes', runner.reservation);
    this.changeSupply();
    this.patch(runnerId, {
      state,
      reason,
      stateSinceMs: this.now(),
      ...(state !== 'idle' && { overstayed: false }),
    });
    const { name } = runner.spec;
    this.#touch(name);
    if (isLeaving) this.tell(name, { type: 'process.leaving', left: this.presenceOf(name) });
  }

  /** Returns how long the load has taken, in ms. */
  noteLoaded({ id, spec, startedAtMs }: RunnerRow, slots: number): number {
    const readyAtMs = this.now();
    const loadMs = readyAtMs - startedAtMs;
    this.patch(id, { readyAtMs, slots });
    this.moveRunner(id, 'idle', 'loaded');
    this.tell(spec.name, { type: 'process.loaded' });
    this.#endRetryAlone(spec, id);
    this.noteLoadOf(spec.name, loadMs);
    return loadMs;
  }

  removeRunner(runner: RunnerRow): void {
    const { id, spec, reservation } = runner;
    this.changeSupply();
    this.subtractBytes('reservedBytes', reservation);
    if (isReturning(runner)) this.subtractBytes('returningBytes', reservation);
    this.change({ runners: withoutRow(this.tables.runners, id) });
    const { runnersByModel } = this.tables;
    const left = (runnersByModel.get(spec.name) ?? NOTHING).filter((other) => other !== id);
    if (left.length > 0) this.set('runnersByModel', runnersByModel, spec.name, left);
    else this.delete('runnersByModel', runnersByModel, spec.name);
    this.#touch(spec.name);
    this.tell(spec.name, { type: 'process.gone', left: this.presenceOf(spec.name) });
  }

  /**
   * After a load that ended in failure: the requests that it was for, taken out of their queues; none when the load may be
   * tried again after it ran out of memory: with less context if that is ours to choose, else alone on its device.
   */
  takeFailed(runner: RunnerRow, failure: Failure): readonly Waiting[] {
    const { classKey, name } = runner.spec;
    this.patch(runner.id, { loadFailure: failure });
    const hasSibling = this.runnersOf(name).some(
      (other) => other.id !== runner.id && isServing(other) && canServe(other.spec, runner.spec),
    );
    this.noteFailure(name, failure);
    const isOutOfMemory = failure.code === 'load_out_of_memory';
    if (isOutOfMemory && this.#lowerContext(runner.spec)) return NOTHING;
    // Main memory holds something of nearly everybody: whose layers are on GPUs has not run out of that.
    const isContested = ({ reservation }: RunnerRow, id: string): boolean =>
      id in reservation && (this.devices.get(id)?.kind !== 'cpu' || Object.keys(reservation).length === 1);
    const hasNeighbours = [...this.runners.values()].some(
      (other) =>
        other.id !== runner.id && Object.keys(other.reservation).some((id) => isContested(runner, id)),
    );
    if (isOutOfMemory && hasNeighbours && !this.getsDeviceAlone(runner.spec)) {
      this.tell(name, { type: 'alone.wanted', classKey });
      return NOTHING;
    }
    this.#endRetryAlone(runner.spec);
    // One more runner beside others that serve: those who wait for a slot get theirs.
    if (hasSibling) return NOTHING;
    return this.takeWaiting(name, (spec) => canServe(runner.spec, spec));
  }

  /** Takes a model's waiting requests out of their queues. */
  takeWaiting(model: string, matches: (spec: ModelSpec) => boolean = () => true): readonly Waiting[] {
    const taken = this.queuesOf(model).flatMap(({ spec, arrivals }) => (matches(spec) ? arrivals : NOTHING));
    for (const waiting of taken) this.#unqueue(waiting);
    return taken;
  }

  /** Its keep-alive has ended, and it stays only until its memory is wanted. */
  noteOverstayed(runnerId: RunnerId): void {
    this.patch(runnerId, { overstayed: true });
    this.changeSupply();
  }

  keep(runner: RunnerRow, keepAlive: KeepAlive, pinned: boolean): void {
    const spec = { ...runner.spec, keepAlive, pinned };
    // A new keep-alive counts from when it became idle; its runner says anew when that has ended.
    this.patch(runner.id, { keepAlive, pinned, spec, overstayed: false });
    if (pinned) this.pin(spec);
    this.changeSupply();
  }

  /** The same for whoever waits for it, and for runners that are started for them. */
  keepWaiting(model: string, keepAlive: KeepAlive, pinned: boolean): void {
    if (!pinned) this.unpin(model);
    for (const queue of this.queuesOf(model)) {
      const spec = { ...queue.spec, keepAlive, pinned };
      this.#setQueue(spec.classKey, { ...queue, spec });
      if (pinned) this.pin(spec);
    }
  }

  /** New settings, for whatever is decided from now on. */
  configure({ plan, deviceLimits }: SchedulerSettings): void {
    this.change({
      settings: plan,
      deviceLimits,
      devices: limited(this.devices, deviceLimits),
      inventory: {},
      supply: {},
    });
  }

  /** A model is another one now: those who wait for it want that, and what its loads were like says nothing any more. */
  redefine(spec: ModelSpec, classBefore: string | undefined): void {
    this.forgetHistory(spec.name);
    if (this.models.get(spec.name)?.state.place === 'displaced')
      this.tell(spec.name, spec.comesBack ? { type: 'model.displaced', spec } : { type: 'model.dropped' });
    this.tell(spec.name, { type: 'model.redefined' });
    const fitted = this.#fitted(spec);
    if (!spec.pinned) this.unpin(spec.name);
    for (const waiting of this.takeWaiting(spec.name)) {
      // Who asked with options of their own keeps those.
      const { classKey, launch, needBytes, needSource, hostBytes = 0 } = waiting.spec;
      const hasOptions = classBefore !== undefined && classKey !== classBefore;
      const own = { ...spec, classKey, launch, needBytes, needSource, hostBytes };
      this.enqueue({ ...waiting, spec: hasOptions ? own : fitted });
    }
    for (const { id, spec: before } of this.runnersOf(spec.name)) {
      const { classKey, launch, needBytes, needSource, hostBytes = 0 } = before;
      const own = { ...spec, launch, needBytes, needSource, hostBytes };
      if (classKey === spec.classKey) this.patch(id, { spec: own });
    }
    // It may need other memory now than it was promised.
    this.unclaim(spec.classKey);
  }

  read(readings: readonly DeviceReading[]): void {
    this.change({
      devices: readInto(this.devices, readings, this.tables.deviceLimits, this.#inPlace()),
      readAtMs: this.now(),
      inventory: {},
      supply: {},
    });
    // Who came before the devices were known.
    for (const queue of this.queues.values()) {
      const spec = this.#fitted(queue.spec);
      if (spec !== queue.spec) this.#setQueue(spec.classKey, { ...queue, spec });
    }
  }

  /** Runners whose memory was in place when the devices were read the last time, and still is. */
  #inPlace(): readonly RunnerRow[] {
    const { readAtMs } = this.tables;
    return [...this.runners.values()].filter(
      (runner) => runner.readyAtMs !== null && runner.readyAtMs < readAtMs && !isReturning(runner),
    );
  }

  #lowerContext(spec: ModelSpec): boolean {
    const lower = withLessContext(spec);
    if (lower === null) return false;
    this.set('lowered', this.tables.lowered, spec.classKey, lower);
    const queue = this.queues.get(spec.classKey);
    if (queue) this.#setQueue(spec.classKey, { ...queue, spec: lower });
    return true;
  }

  /** With the context that Corral chooses: what fits the GPUs, and less for a class that ran out of memory with it. */
  #fitted(spec: ModelSpec): ModelSpec {
    if (spec.contexts === undefined) return withExpertsAside(spec, this);
    const lowered = this.tables.lowered.get(spec.classKey);
    if (lowered === undefined) return withContextFor(spec, this.devices.values());
    // All but the context may have been configured anew since.
    return { ...spec, launch: lowered.launch, needBytes: lowered.needBytes };
  }

  #enter({ id, leases, state, spec }: RunnerRow, keepAlive: KeepAlive | null, atMs: number): void {
    const isFirst = state === 'idle';
    this.patch(id, {
      leases: leases + 1,
      lastUsedAtMs: atMs,
      ...(keepAlive !== null && { keepAlive }),
      ...(isFirst && { state: 'ready', reason: 'serving', stateSinceMs: atMs, overstayed: false }),
    });
    if (!isFirst) return;
    this.changeSupply();
    this.#touch(spec.name);
  }

  #unqueue(waiting: Waiting): void {
    const { classKey, name } = waiting.spec;
    const queue = this.queues.get(classKey);
    if (!queue) return;
    const left = withoutWaiting(queue, waiting);
    this.#touch(name);
    if (left) return this.#setQueue(classKey, left);
    this.delete('queues', this.queues, classKey);
    if (this.queuesOf(name).length === 0) this.tell(name, { type: 'requests.none' });
    this.#endRetryAlone(waiting.spec);
    // A load that nobody waits for any more may be given up, and one with other options may take its place.
    const mayGo = this.runnersOf(name).some((runner) => runner.state === 'loading');
    if (mayGo || this.queuesOf(name).length > 0) this.changeSupply();
  }

  /** It needs its device for itself no longer: it has loaded, failed again, or nobody wants it. What it booked for that is given back. */
  #endRetryAlone(spec: ModelSpec, loadedId?: RunnerId): void {
    if (!this.getsDeviceAlone(spec)) return;
    const { name, classKey } = spec;
    const isLoading = this.runnersOfClass(classKey).some(({ state }) => state === 'loading');
    if (loadedId === undefined && isLoading) return;
    const alone = this.models.get(name)?.context.alone ?? NOTHING;
    this.tell(name, { type: 'alone.over', classKey, isLast: alone.length === 1 });
    const runner = loadedId === undefined ? undefined : this.runners.get(loadedId);
    if (runner) this.book(runner, this.neededOf(runner.spec, runner.reservation));
  }

  #setQueue(classKey: string, queue: ClassQueue): void {
    this.set('queues', this.queues, classKey, queue);
  }

  #touch(model: string): void {
    if (!this.touched.has(model)) this.change({ touched: new Set([...this.touched, model]) });
  }
}
