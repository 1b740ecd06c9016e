import type { Failure } from '../failures.ts';
import type { ModelRow } from '../model/contract.ts';
import { readsFile } from '../planning/file-reading.ts';
import { refusedByPause } from '../planning/paused.ts';
import { decide } from '../planning/plan.ts';
import { comeAgain } from '../planning/load-failures.ts';
import { canServe, isReturning, isServing } from '../planning/sharing.ts';
import type { Decision, Victim, Waiting } from '../planning/view.ts';
import type { RunnerCommand, RunnerOutcome } from '../runner/contract.ts';
import type { ModelSpec, Reservation, RunnerId } from '../vocabulary.ts';
import type { Request, SchedulerEmitted, SchedulerSettings } from './contract.ts';
import { recordOf, recordsOf } from './decisions.ts';
import { whoComesBack } from './come-back.ts';
import type { Ledger } from './ledger.ts';

/** More steps than this in one go mean that the planner contradicts itself. */
const MAX_STEPS = 10_000;

/** How the scheduler's steps reach the world; the statechart lends it to each action. */
export interface Outlet {
  emit(event: SchedulerEmitted): void;
  command(runnerId: RunnerId, command: RunnerCommand): void;
  spawn(
    runnerId: RunnerId,
    spec: ModelSpec,
    reservation: Reservation,
    laggingDevices: readonly string[],
  ): void;
  reap(runnerId: RunnerId): void;
  /** Asks for a new plan after so many ms; `Infinity`: not at all. Only the latest wish counts. */
  wakeIn(delayMs: number): void;
}

const OWN = 'own:';

/** The lease id of a load on the scheduler's own account: what becomes of the load is told under it. */
export const ownLeaseOf = ({ classKey }: ModelSpec): string => `${OWN}${classKey}`;

/** A request of the scheduler itself, for preloading: it needs no lease, and waits no longer once its model is loaded. */
const ownRequest = (spec: ModelSpec): Request => ({
  leaseId: ownLeaseOf(spec),
  spec,
  priority: 'normal',
  keepAlive: null,
  waitLimitMs: Infinity,
  isRetry: true,
});
export const isOwn = (leaseId: string): boolean => leaseId.startsWith(OWN);

/** Takes the planner's decisions one by one until it rests. */
export function carryOutPlan(ledger: Ledger, settings: SchedulerSettings, out: Outlet): void {
  const nowMs = ledger.now();
  if (nextPauseEnd(ledger.models) <= nowMs) {
    ledger.endPauses();
    bringBackPinned(ledger);
  }
  for (let step = 0; step < MAX_STEPS; step++) {
    const decision = decide(ledger, nowMs);
    if (decision.kind === 'rest') {
      const spec = whoComesBack(ledger);
      if (spec !== null) {
        preload(ledger, spec);
        continue;
      }
      ledger.apply(decision);
      // A moment that has passed would be asked for again and again.
      const nextMs = Math.min(decision.wakeAtMs, nextPauseEnd(ledger.models));
      const wakeAtMs = nextMs > nowMs ? nextMs : Infinity;
      if (wakeAtMs === ledger.armedForMs) return;
      ledger.arm(wakeAtMs);
      return out.wakeIn(wakeAtMs - nowMs);
    }
    carryOut(decision, ledger, settings, out);
  }
}

const knownPauseEnds = new WeakMap<ReadonlyMap<string, ModelRow>, number>();

/** When the first pause of a model that keeps failing is over. Tables are never written in place, so this is looked for once. */
function nextPauseEnd(models: ReadonlyMap<string, ModelRow>): number {
  let next = knownPauseEnds.get(models);
  if (next !== undefined) return next;
  next = Infinity;
  for (const { state, context } of models.values())
    if (state.loads === 'backing-off') next = Math.min(next, context.failures.retryAtMs);
  knownPauseEnds.set(models, next);
  return next;
}

function carryOut(
  decision: Exclude<Decision, { kind: 'rest' }>,
  ledger: Ledger,
  settings: SchedulerSettings,
  out: Outlet,
): void {
  if (decision.kind === 'start') {
    const { reservation } = decision;
    const spec = launchedOn(decision.spec, reservation, ledger);
    const runnerId = ledger.nextRunnerId();
    for (const record of recordsOf(ledger, decision, runnerId)) out.emit({ type: 'decision', record });
    ledger.addRunner(runnerId, spec, reservation);
    // One that has its device for itself books all of it, and needs no more than usual.
    return out.spawn(runnerId, spec, ledger.neededOf(spec, reservation), ledger.laggingDevices(reservation));
  }
  if (decision.kind === 'evict') return evict(ledger, decision, settings, out);
  // Its model is there, as one of before a reload may be: nobody would give the slot back.
  if (decision.kind === 'grant' && isOwn(decision.leaseId)) return void ledger.withdraw(decision.leaseId);
  for (const record of recordsOf(ledger, decision)) out.emit({ type: 'decision', record });
  if (decision.kind === 'grant') letIn(ledger, decision, out);
  if (decision.kind === 'refuse' && isOwn(decision.leaseId)) noteRefusedLoad(ledger, decision);
  ledger.apply(decision);
  if (decision.kind === 'refuse')
    out.emit({ type: 'request.refused', leaseId: decision.leaseId, failure: decision.failure });
  if (decision.kind === 'claim')
    for (const { runnerId, reason } of decision.victims)
      out.command(runnerId, { type: 'runner.expire', reason, drainMs: settings.plan.drainMs });
}

/** Tells the door whom to let in. */
function letIn(
  ledger: Ledger,
  { leaseId, runnerId }: Extract<Decision, { kind: 'grant' }>,
  out: Outlet,
): void {
  const waiting = ledger.waitingOf(leaseId);
  const runner = ledger.runners.get(runnerId);
  if (!waiting || !runner) return;
  const { arrivedAtMs } = waiting;
  const loadMs = Math.max(0, (runner.readyAtMs ?? 0) - Math.max(arrivedAtMs, runner.startedAtMs));
  const waitMs = ledger.now() - arrivedAtMs;
  out.emit({ type: 'request.granted', waiting, runnerId, waitMs, loadMs });
}

/** A pinned model that cannot be loaded now is asked for again, at growing intervals. */
function noteRefusedLoad(ledger: Ledger, { leaseId, failure }: Extract<Decision, { kind: 'refuse' }>): void {
  const model = ledger.waitingOf(leaseId)?.spec.name;
  if (model !== undefined && ledger.isPinned(model)) ledger.noteFailure(model, failure);
}

/** One runner has to go: running leases may finish within the drain limit. */
export function evict(
  ledger: Ledger,
  victim: Victim,
  { plan: { drainMs } }: SchedulerSettings,
  out: Outlet,
): void {
  const decision = { ...victim, kind: 'evict' } as const;
  for (const record of recordsOf(ledger, decision)) out.emit({ type: 'decision', record });
  ledger.apply(decision);
  out.command(victim.runnerId, { type: 'runner.expire', reason: victim.reason, drainMs });
}

/** A model as it is started on these devices. A pin is one of the model, with whatever options it is asked for. */
const launchedOn = (spec: ModelSpec, reservation: Reservation, ledger: Ledger): ModelSpec => ({
  ...spec,
  pinned: spec.pinned || ledger.isPinned(spec.name),
  launch: { ...spec.launch, readsFile: readsFile(spec, reservation, ledger) },
});

/** Puts a request in line, or refuses it at once when too many wait. */
export function takeRequest(
  ledger: Ledger,
  settings: SchedulerSettings,
  request: Request,
  out: Outlet,
): void {
  const waiting = ledger.receive(request);
  const failure =
    queueFull(ledger, settings, request) ??
    refusedByPause(waiting.spec, ledger) ??
    backingOff(ledger, request);
  if (failure === null) ledger.enqueue(waiting);
  else refuse(ledger, [waiting], failure, out);
}

/** Its loads keep failing, nothing of it is there or on its way, and the next try is long ahead. */
function backingOff(ledger: Ledger, { spec }: Request): Failure | null {
  const isOnItsWay = ledger.runnersOf(spec.name).some((runner) => !isReturning(runner));
  return isOnItsWay ? null : comeAgain(spec.name, ledger.failuresOf(spec.name), ledger.now());
}

function queueFull(ledger: Ledger, settings: SchedulerSettings, { spec }: Request): Failure | null {
  const waiting = ledger.queuesOf(spec.name).reduce((sum, queue) => sum + queue.order.length, 0);
  if (waiting < spec.maxQueue && ledger.waitingCount < settings.maxQueue) return null;
  const [count, limit, where] =
    waiting >= spec.maxQueue
      ? [waiting, spec.maxQueue, `for ${spec.name}`]
      : [ledger.waitingCount, settings.maxQueue, 'in all'];
  return {
    code: 'queue_full',
    message: `The queue is full: ${count} requests wait ${where} (limit ${limit}). Try again in a few seconds.`,
    retryAfterSeconds: 5,
  };
}

/** Answers requests that were taken out of their queues. */
export function refuse(
  ledger: Ledger,
  waiting: readonly Pick<Waiting, 'leaseId' | 'spec'>[],
  failure: Failure,
  out: Outlet,
): void {
  for (const { leaseId, spec } of waiting) {
    const { code, message: reason } = failure;
    const record = recordOf(ledger, 'refuse', { model: spec.name, reason, code, leaseId });
    out.emit({ type: 'decision', record });
    out.emit({ type: 'request.refused', leaseId, failure });
  }
}

/** A runner has ended: its memory is free, and whoever it leaves behind is answered. */
export function finalize(ledger: Ledger, outcome: RunnerOutcome, out: Outlet): void {
  const runner = ledger.runners.get(outcome.runnerId);
  out.reap(outcome.runnerId);
  if (!runner) return;
  const { failure, wasReady } = outcome;
  const { name } = runner.spec;
  ledger.removeRunner(runner);
  const isCrash = failure !== null && failure.code !== 'stopped' && failure.code !== 'shutting_down';
  if (isCrash) {
    const { code, message: reason } = failure;
    out.emit({
      type: 'decision',
      record: recordOf(ledger, 'failed', { model: name, reason, code, runnerId: runner.id }),
    });
  }
  if (failure === null) return;
  if (!wasReady && runner.loadFailure === null)
    refuse(ledger, ledger.takeFailed(runner, failure), failure, out);
  if (wasReady && isCrash) ledger.noteFailure(name, failure);
  bringBackPinned(ledger);
}

/** Asks for pinned models that are not there, or not any more: at once, and after failures at growing intervals. */
export function bringBackPinned(ledger: Ledger): void {
  for (const spec of ledger.pinned) {
    const { name } = spec;
    const isThere = ledger.runnersOf(name).length > 0 || ledger.queuesOf(name).length > 0;
    if (!isThere && ledger.retryAtMs(name) <= ledger.now()) preload(ledger, spec);
  }
}

/** Asks for a model on the scheduler's own account; a second request for the same is no use. */
export function preload(ledger: Ledger, spec: ModelSpec): void {
  if (spec.pinned) ledger.pin(spec);
  const isServed = ledger.runnersOf(spec.name).some((one) => isServing(one) && canServe(one.spec, spec));
  const request = ownRequest(spec);
  if (!isServed && !ledger.waitingOf(request.leaseId)) ledger.enqueue(ledger.receive(request));
}

/** A runner's machine itself broke: its process may have outlived it, so the launcher is told to end it. */
export function finalizeBroken(ledger: Ledger, runnerId: RunnerId, error: unknown, out: Outlet): void {
  const runner = ledger.runners.get(runnerId);
  if (!runner) return;
  const text = error instanceof Error ? error.message : String(error);
  const failure: Failure = {
    code: 'runner_crashed',
    message: `${runner.spec.name}: its supervisor broke: ${text}`,
  };
  out.emit({ type: 'runner.broke', runnerId });
  finalize(ledger, { runnerId, failure, wasReady: runner.readyAtMs !== null }, out);
}
