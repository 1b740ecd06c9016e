import { grantOn, nextDeadline, refuseOverdue } from './default-policy.ts';
import { freeNow, shareOut } from './memory.ts';
import { contestedOn, restFits, sitesFor, siteNeed, type Site } from './placement.ts';
import { siteRoom } from './shared-memory.ts';
import { canServe, isReturning, isServing } from './sharing.ts';
import { formatBytes } from '../vocabulary.ts';
import type { Decision, DeviceView, RunnerView, View, Waiting } from './view.ts';

/** Ollama's automatic limit: this many models per GPU. */
const RUNNERS_PER_GPU = 3;

/**
 * The decisions of Ollama's scheduler (server/sched.go at bc8909fb38), for comparison: one queue in order of arrival whose
 * head blocks all others; only requests that find their model loaded pass it by; victims one at a time, by keep-alive
 * and then by name, and once one is chosen, no other. Its deadlocks cannot be reproduced: a runner that has been told to
 * go takes no new leases here.
 */
export function decideLikeOllama(view: View, nowMs: number): Decision {
  return refuseOverdue(view, nowMs) ?? passBy(view) ?? evictLocked(view) ?? serveHead(view, nowMs);
}

/** Requests that came when their model was loading or loaded never enter the queue: they are served at the end of that load. */
function passBy(view: View): Decision | null {
  for (const model of view.touched) {
    for (const queue of view.queuesOf(model)) {
      const runner = freeRunner(view, queue.order[0]);
      const waiting = runner && queue.order.find((one) => one.arrivedAtMs >= runner.startedAtMs);
      if (runner && waiting) return grantOn(waiting, runner);
    }
  }
  return null;
}

function freeRunner(view: View, waiting: Waiting | undefined): RunnerView | undefined {
  if (!waiting) return undefined;
  return view
    .runnersOf(waiting.spec.name)
    .find((runner) => isServing(runner) && runner.leases < runner.slots && sameProcess(runner, waiting));
}

/** Any difference in options reloads, also a smaller context. */
const sameProcess = (runner: RunnerView, waiting: Waiting): boolean =>
  runner.spec.classKey === waiting.spec.classKey;

/** The oldest request that waits for neither a slot nor the end of a load. */
function headOf(view: View): Waiting | null {
  let head: Waiting | null = null;
  for (const queue of view.queues.values())
    for (const waiting of queue.arrivals) {
      const runner = view
        .runnersOf(waiting.spec.name)
        .find((one) => (isServing(one) || one.state === 'loading') && sameProcess(one, waiting));
      if (runner && waiting.arrivedAtMs >= runner.startedAtMs) continue;
      if (head === null || waiting.seq < head.seq) head = waiting;
      break;
    }
  return head;
}

/**
 * A busy victim, once chosen, is waited for, and goes as soon as it is idle; but whichever runner unloads first wakes the head, and it
 * looks again (defect D4).
 */
function evictLocked(view: View): Decision | null {
  for (const [classKey, claim] of view.claims) {
    if (!view.queues.has(classKey))
      return { kind: 'unclaim', classKey, reason: 'nobody waits for it any more' };
    if (!claim.awaits.every((id) => view.runners.has(id)))
      return { kind: 'unclaim', classKey, reason: 'a model was unloaded; it looks again' };
    const victim = view.runners.get(claim.awaits[0] ?? '');
    if (victim?.state === 'idle') return evict(victim, claim.spec.name);
  }
  return null;
}

const evict = (runner: RunnerView, model: string): Decision => ({
  kind: 'evict',
  runnerId: runner.id,
  code: runner.spec.name === model ? 'other_options' : 'memory_wanted',
  reason: `${model} needs room; shortest keep-alive, then name`,
});

function serveHead(view: View, nowMs: number): Decision {
  const head = headOf(view);
  const rest: Decision = { kind: 'rest', wakeAtMs: nextDeadline(view), waits: new Map() };
  if (head === null) return rest;
  const runner = freeRunner(view, head);
  if (runner) return grantOn(head, runner);
  const { spec } = head;
  const own = view.runnersOf(spec.name);
  if (view.claims.size > 0 || own.some((one) => one.state === 'loading' || isReturning(one))) return rest;
  const stale = own.find((one) => !canServe(one.spec, spec) || !sameProcess(one, head));
  if (stale) return lockOn(stale, head, view);
  if (own.length > 0) return rest;
  return view.retryAtMs(spec.name) > nowMs
    ? { ...rest, wakeAtMs: view.retryAtMs(spec.name) }
    : load(head, view, rest);
}

function load(head: Waiting, view: View, rest: Decision): Decision {
  const { spec } = head;
  const found = sitesFor(spec, view);
  if ('failure' in found)
    return { kind: 'refuse', leaseId: head.leaseId, classKey: spec.classKey, failure: found.failure };
  if ('paused' in found) return rest;
  const gpus = [...view.devices.values()].filter((device) => device.kind !== 'cpu').length;
  const limit = view.settings.maxRunners ?? RUNNERS_PER_GPU * Math.max(1, gpus);
  const site = view.runners.size < limit ? roomiest(found.sites, head, view) : null;
  if (site) {
    const reservation = shareOut(spec, site, (device) => freeNow(view, device, spec.classKey), view);
    return { kind: 'start', classKey: spec.classKey, spec, reservation, reason: 'fits in what is free' };
  }
  const standing = [...view.runners.values()].filter((runner) => isServing(runner));
  const leaving = [...view.runners.values()].some(isReturning);
  const victim = leaving
    ? undefined
    : (standing.toSorted(byKeepAlive).find(isIdle) ?? standing.toSorted(byKeepAlive)[0]);
  return victim ? lockOn(victim, head, view) : rest;
}

/** The single device with the most free memory, else the smallest split that holds it. */
function roomiest(sites: readonly Site[], { spec }: Waiting, view: View): Site | null {
  const free = (device: DeviceView): number => freeNow(view, device, spec.classKey);
  const room = (site: Site): number => siteRoom(contestedOn(site), view, free);
  const fitting = sites.filter(
    (site) => siteNeed(spec, site, view) <= room(site) && restFits(spec, site, free, view),
  );
  const singles = fitting.filter((site) => site.length === 1).toSorted((a, b) => room(b) - room(a));
  return singles[0] ?? fitting[0] ?? null;
}

/** The victim comes first among those whose going ends the wait. */
function lockOn(victim: RunnerView, { spec }: Waiting, view: View): Decision {
  if (victim.state === 'idle') return evict(victim, spec.name);
  const reason = `waits for ${victim.spec.name} to become idle (${formatBytes(spec.needBytes)} needed)`;
  return {
    kind: 'claim',
    classKey: spec.classKey,
    spec,
    reservation: {},
    awaits: [...new Set([victim.id, ...view.runners.keys()])],
    victims: [],
    reason,
  };
}

const isIdle = (runner: RunnerView): boolean => runner.leases === 0;
const keepAliveMs = (runner: RunnerView): number =>
  runner.keepAlive === 'forever' || runner.pinned ? Infinity : runner.keepAlive;

function byKeepAlive(a: RunnerView, b: RunnerView): number {
  const [x, y] = [keepAliveMs(a), keepAliveMs(b)];
  if (x !== y) return x < y ? -1 : 1;
  return a.spec.name < b.spec.name ? -1 : 1;
}
