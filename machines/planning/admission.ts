import type { Failure } from '../failures.ts';
import { formatBytes, type ModelSpec } from '../vocabulary.ts';
import { makeRoom, makeRoomElsewhere, type Answer, type Wait } from './make-room.ts';
import { capacityOf, freeEventually, freeNow, hostBytesOf, overheadOn } from './memory.ts';
import { startNow, type Want } from './options.ts';
import { restFits, sitesFor, type Site } from './placement.ts';
import { pausedText } from './paused.ts';
import { byPlace, emptyQueue, oldestOf } from './queues.ts';
import { bytesOn, cpuOf, siteRoom } from './shared-memory.ts';
import { canServe, isReturning, isServing } from './sharing.ts';
import type { Claim, ClassQueue, Decision, DeviceView, RunnerView, View } from './view.ts';

/**
 * Most events change nothing for those who wait: their last answer holds until its time has come, their queue changes, or somebody may
 * have given up memory. Tables are never written in place, so that equal objects are equal content.
 */
const knownWaits = new WeakMap<ClassQueue, { readonly wait: Wait; readonly supply: object }>();

function knownWait(queue: ClassQueue, { supply }: View, nowMs: number): Wait | null {
  const known = knownWaits.get(queue);
  return known?.supply === supply && known.wait.untilMs > nowMs ? known.wait : null;
}

/**
 * Looks at every queue whose model has no runner, in the order of their first requests' places: start, claim memory (with victims), refuse,
 * or let it wait and try the next one. Nobody blocks anybody who could be served. Who has a claim already may find something better.
 */
export function admit(view: View, nowMs: number, nextDeadlineMs: number): Decision {
  const waits = new Map<string, string>();
  let wakeAtMs = nextDeadlineMs;
  for (const queue of byPlace(coldQueues(view))) {
    const answer = knownWait(queue, view, nowMs) ?? answerFor(queue, view, nowMs);
    if (answer.kind !== 'wait') return answer;
    knownWaits.set(queue, { wait: answer, supply: view.supply });
    waits.set(queue.spec.classKey, answer.reason);
    wakeAtMs = Math.min(wakeAtMs, answer.untilMs);
  }
  return { kind: 'rest', wakeAtMs, waits };
}

/** Queues with no runner that serves them, now or once it has loaded; or with room for one more replica. */
function coldQueues(view: View): ClassQueue[] {
  const cold: ClassQueue[] = [];
  for (const queue of view.queues.values()) {
    const serving = servingRunners(queue, view);
    if (serving.length === 0 || wantsReplica(queue, serving, view)) cold.push(queue);
  }
  return cold;
}

const servingRunners = ({ spec }: ClassQueue, view: View): readonly RunnerView[] =>
  view
    .runnersOf(spec.name)
    .filter((runner) => (isServing(runner) || runner.state === 'loading') && canServe(runner.spec, spec));

/** All slots are taken (else nobody would wait), none is on its way, and one more process of the model is allowed, whatever its options. */
const wantsReplica = ({ spec }: ClassQueue, serving: readonly RunnerView[], view: View): boolean =>
  view.runnersOf(spec.name).length + otherClaims(spec, view) < (spec.replicas ?? 1) &&
  serving.every((runner) => runner.state !== 'loading');

/** How many claims there are for a model with other options. */
function otherClaims({ name, classKey }: ModelSpec, view: View): number {
  let count = 0;
  for (const { spec } of view.claims.values()) if (spec.name === name && spec.classKey !== classKey) count++;
  return count;
}

function answerFor(queue: ClassQueue, view: View, nowMs: number): Answer {
  const { spec } = queue;
  const claim = view.claims.get(spec.classKey);
  if (claim) return reconsider(claim, queue, view, nowMs);
  // There are never more processes of a model than it may have, whatever their options.
  if (otherClaims(spec, view) >= (spec.replicas ?? 1))
    return waitFor(`${spec.name} is about to be loaded with other options`);
  const found = sitesFor(spec, view);
  if ('failure' in found) return refuseOldest(queue, found.failure);
  if ('paused' in found) return waitFor(pausedText(found.paused));
  const pins = otherPins(queue, view);
  const { maxRunners } = view.settings;
  if (maxRunners !== null && pins.length >= maxRunners)
    return refuseOldest(queue, noRunnerBesidePins(queue, pins, maxRunners));
  const sites = found.sites.filter((site) => fitsBesidePins(queue, site, view));
  if (sites.length === 0) return refuseOldest(queue, cannotFitBesidePins(queue, found.sites, view));
  const retryAtMs = view.retryAtMs(spec.name);
  if (retryAtMs > nowMs)
    return waitFor(
      `it has failed several times in a row, and is tried again ${Math.ceil((retryAtMs - nowMs) / 1000)} s later`,
      retryAtMs,
    );
  const older = view.runnersOf(spec.name);
  const isReplica = servingRunners(queue, view).length > 0;
  const want: Want = { queue, sites, view, nowMs, forced: [], roomOn: freeEventually, isFreeOnly: false };
  if (older.length > 0 && !isReplica) return replace(want, older);
  return startNow(queue, sites, view) ?? makeRoom(want);
}

/** Whether there is room for a model this moment, without anybody having to go. */
export function canStartNow(spec: ModelSpec, view: View): boolean {
  const queue = emptyQueue(spec);
  const found = sitesFor(spec, view);
  if (!('sites' in found)) return false;
  const sites = found.sites.filter((site) => fitsBesidePins(queue, site, view));
  return startNow(queue, sites, view) !== null;
}

const waitFor = (reason: string, untilMs = Infinity): Wait => ({ kind: 'wait', untilMs, reason });

/**
 * Its claim waits for others to go. Meanwhile something better may have come free: room elsewhere, or an idle runner while
 * those that it waits for still have requests to finish. Whoever has been told to go goes nevertheless.
 */
function reconsider(claim: Claim, queue: ClassQueue, view: View, nowMs: number): Answer {
  const asBefore = waitFor('its memory is on its way');
  const { name, classKey } = queue.spec;
  const found = sitesFor(queue.spec, view);
  const isReplica = servingRunners(queue, view).length > 0;
  if (!('sites' in found) || (view.runnersOf(name).length > 0 && !isReplica)) return asBefore;
  const sites = found.sites.filter((site) => fitsBesidePins(queue, site, view));
  const start = startNow(queue, sites, view);
  if (start) return start;
  const isDraining = claim.awaits.some((id) => (view.runners.get(id)?.leases ?? 0) > 0);
  const roomOn = (device: DeviceView): number => freeNow(view, device, classKey);
  return isDraining
    ? makeRoomElsewhere({ queue, sites, view, nowMs, forced: [], roomOn, isFreeOnly: true })
    : asBefore;
}

function refuseOldest(queue: ClassQueue, failure: Failure): Answer {
  return { kind: 'refuse', leaseId: oldestOf(queue)?.leaseId ?? '', classKey: queue.spec.classKey, failure };
}

function roomBesidePins(device: DeviceView, queue: ClassQueue, view: View): number {
  let room = capacityOf(device);
  for (const runner of view.runners.values())
    if (runner.pinned && runner.spec.name !== queue.spec.name)
      room -= bytesOn(runner.reservation, device, view.devices);
  // A limit may have been lowered below what they hold.
  return Math.max(0, room);
}

function fitsBesidePins(queue: ClassQueue, site: Site, view: View): boolean {
  const room = siteRoom(site, view, (device) => roomBesidePins(device, queue, view));
  // With what the runtime itself needs on each device; what goes into main memory needs none of that.
  const overhead = site.reduce((sum, device) => sum + overheadOn(queue.spec, device, view), 0);
  const isOnCpu = site.every(({ kind }) => kind === 'cpu');
  const needBytes = queue.spec.needBytes + overhead + (isOnCpu ? hostBytesOf(queue.spec) : 0);
  return (
    needBytes <= room && restFits(queue.spec, site, (device) => roomBesidePins(device, queue, view), view)
  );
}

/** Pinned runners of other models. */
const otherPins = ({ spec }: ClassQueue, view: View): readonly RunnerView[] =>
  [...view.runners.values()].filter((runner) => runner.pinned && runner.spec.name !== spec.name);

function noRunnerBesidePins({ spec }: ClassQueue, pins: readonly RunnerView[], maxRunners: number): Failure {
  const names = pins.map((runner) => runner.spec.name).join(', ');
  return {
    code: 'does_not_fit',
    message: `${spec.name} cannot be loaded: there may be ${maxRunners} ${maxRunners === 1 ? 'runner' : 'runners'} at a time (limits.runners), and the pinned ${names} ${pins.length === 1 ? 'takes its place' : 'take all places'}. Unpin ${pins.length === 1 ? 'it' : 'one of them'}, or raise the limit.`,
  };
}

function cannotFitBesidePins(queue: ClassQueue, sites: readonly Site[], view: View): Failure {
  const pins = [...view.runners.values()].filter((runner) => runner.pinned).map((runner) => runner.spec.name);
  const hostBytes = hostBytesOf(queue.spec);
  const main = hostBytes > 0 ? cpuOf(view) : undefined;
  const rooms = [...sites.flat(), ...(main ? [main] : [])].map(
    (device) => `${device.id} ${formatBytes(roomBesidePins(device, queue, view))}`,
  );
  return {
    code: 'does_not_fit',
    message: `${queue.spec.name} needs ${formatBytes(queue.spec.needBytes)}${main ? ` and ${formatBytes(hostBytes)} of main memory` : ''} and cannot fit beside the pinned ${pins.join(', ')} (left: ${[...new Set(rooms)].join(', ')}). Unpin ${pins.length === 1 ? 'it' : 'one of them'}.`,
  };
}

/**
 * A process of this model is there and cannot serve the request: it has gone to go first, so that there are never two.
 * One that is on its way out is waited for; one whose successor would serve its clients as well goes at once.
 */
function replace(want: Want, older: readonly RunnerView[]): Answer {
  const { queue, view } = want;
  const { name } = queue.spec;
  const standing = older.filter((runner) => !isReturning(runner));
  const isWanted = standing.some((runner) => runner.state === 'loading' && view.queuesOf(name).length > 1);
  if (isWanted) return waitFor(`${name} is being loaded with other options`);
  const isCovered = standing.length > 0 && standing.every((runner) => canServe(queue.spec, runner.spec));
  return makeRoom({ ...want, forced: standing }, isCovered);
}
