import { admit } from './admission.ts';
import { isClaimReady } from './memory.ts';
import { isBefore, nextToGiveUp } from './queues.ts';
import { canServe, isServing } from './sharing.ts';
import type { Claim, ClassQueue, Decision, RunnerView, View, Waiting } from './view.ts';

/** Nobody waits, as after most events of a service that is not overloaded. */
const NOTHING_TO_DO: Decision = { kind: 'rest', wakeAtMs: Infinity, waits: new Map() };

/**
 * The default policy: per-model queues, memory claims, the cheapest victims, eviction only once waiting has cost as much
 * as reloading would (docs/policy.md). Pure and total: the same view and time give the same decision.
 */
export function decide(view: View, nowMs: number): Decision {
  const abandoned = abortAbandoned(view);
  if (abandoned) return abandoned;
  if (view.queues.size === 0 && view.claims.size === 0) return NOTHING_TO_DO;
  return (
    refuseOverdue(view, nowMs) ??
    grantNext(view) ??
    followClaims(view) ??
    admit(view, nowMs, nextDeadline(view))
  );
}

/** A load for clients who have all left, where such loads are not wanted. */
function abortAbandoned(view: View): Decision | null {
  if (view.settings.abandonedLoads === 'keep') return null;
  for (const model of view.touched)
    for (const runner of view.runnersOf(model))
      if (isAbandoned(runner, view))
        return {
          kind: 'evict',
          runnerId: runner.id,
          code: 'load_abandoned',
          reason: 'everybody who waited for it has left',
        };
  return null;
}

/** Nobody waits for it, and it is not one more beside another that has served them meanwhile. */
const isAbandoned = ({ spec: { name }, state, pinned }: RunnerView, view: View): boolean =>
  state === 'loading' && !pinned && view.queuesOf(name).length === 0 && !view.runnersOf(name).some(isServing);

export function nextDeadline(view: View): number {
  let next = Infinity;
  for (const queue of view.queues.values())
    next = Math.min(next, nextToGiveUp(queue)?.deadlineMs ?? Infinity);
  return next;
}

/** Answers a request that has waited as long as it may. */
export function refuseOverdue(view: View, nowMs: number): Decision | null {
  for (const [classKey, queue] of view.queues) {
    const overdue = nextToGiveUp(queue);
    if (!overdue || overdue.deadlineMs > nowMs) continue;
    const waitedMs = nowMs - overdue.arrivedAtMs;
    const waitedSeconds = waitedMs < 10_000 ? Math.round(waitedMs / 100) / 10 : Math.round(waitedMs / 1000);
    return {
      kind: 'refuse',
      leaseId: overdue.leaseId,
      classKey,
      failure: {
        code: 'queue_timeout',
        message: `The request for ${queue.spec.name} waited ${waitedSeconds} s without getting a runner (limits.wait, or the model's own wait). ${queue.order.length - 1} more wait for it.`,
        retryAfterSeconds: 30,
      },
    };
  }
  return null;
}

/** The first request in line that a runner with a free slot can serve. */
export function grantNext(view: View): Decision | null {
  for (const model of view.touched) {
    const runners = view
      .runnersOf(model)
      .filter((runner) => isServing(runner) && runner.leases < runner.slots);
    if (runners.length === 0) continue;
    let best: { waiting: Waiting; runner: RunnerView } | null = null;
    for (const queue of view.queuesOf(model)) {
      const waiting = queue.order[0];
      const runner = leastBusy(runners, queue);
      if (!waiting || !runner || (best && !isBefore(waiting, best.waiting))) continue;
      best = { waiting, runner };
    }
    if (best === null) continue;
    const { waiting, runner } = best;
    return { kind: 'grant', leaseId: waiting.leaseId, runnerId: runner.id, classKey: waiting.spec.classKey };
  }
  return null;
}

export const grantOn = ({ leaseId, spec }: Waiting, runner: RunnerView): Decision => ({
  kind: 'grant',
  leaseId,
  runnerId: runner.id,
  classKey: spec.classKey,
});

function leastBusy(runners: readonly RunnerView[], queue: ClassQueue): RunnerView | null {
  let best: RunnerView | null = null;
  for (const runner of runners)
    if (canServe(runner.spec, queue.spec) && (best === null || runner.leases < best.leases)) best = runner;
  return best;
}

/** How long it is kept may have been changed since the claim was made. */
function startClaimed(classKey: string, { spec: claimed, reservation }: Claim, view: View): Decision {
  const { keepAlive, pinned } = view.queues.get(classKey)?.spec ?? claimed;
  const spec = { ...claimed, keepAlive, pinned };
  return { kind: 'start', classKey, spec, reservation, reason: 'its memory has come back' };
}

/** Starts what a claim was made for as soon as its memory is there; drops a claim that nobody needs any more. */
export function followClaims(view: View): Decision | null {
  for (const [classKey, claim] of view.claims) {
    const model = claim.spec.name;
    if (!view.queues.has(classKey))
      return { kind: 'unclaim', classKey, reason: `nobody waits for ${model} any more` };
    if (isClaimReady(view, claim)) {
      return startClaimed(classKey, claim, view);
    }
    if (claim.awaits.some((runnerId) => view.runners.has(runnerId))) continue;
    return { kind: 'unclaim', classKey, reason: `the memory that came back does not suffice for ${model}` };
  }
  return null;
}
