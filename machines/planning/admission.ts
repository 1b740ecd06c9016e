import type { Failure } from '../failures.ts';
import { formatBytes } from '../vocabulary.ts';
import { shareWithin } from './demand.ts';
import { capacityOf, freeEventually, shareOut } from './memory.ts';
import { bestOption, isAtRunnerLimit, startNow, type Option } from './options.ts';
import { contestedOn, isOffload, sitesFor, siteNeed, type Site } from './placement.ts';
import { headArrivalMs, byPlace, oldestOf } from './queues.ts';
import { canServe, isReturning, isServing } from './sharing.ts';
import { evictionLoss } from './victims.ts';
import type { ClassQueue, Decision, DeviceView, RunnerView, View } from './view.ts';

/** A timer at a computed time may fire a hair early; without this the loop would not advance. */
const EPSILON_MS = 1;
/** How far ahead more requests of a model count as a reason to wait. */
const GAIN_HORIZON_SECONDS = 180;
/** Nobody is put off longer than this for the sake of saving a load. */
const MOST_PATIENCE_MS = 16_000;

/** What one cold queue can get now, or why it has to wait and until when. */
type Answer = Decision | Wait;

interface Wait {
  readonly kind: 'wait';
  readonly untilMs: number;
  readonly reason: string;
}

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
 * or let it wait and try the next one. Nobody blocks anybody who could be served.
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

/** Queues with no claim and no runner that serves them, now or once it has loaded; or with room for one more replica. */
function coldQueues(view: View): ClassQueue[] {
  const cold: ClassQueue[] = [];
  for (const [classKey, queue] of view.queues) {
    if (view.claims.has(classKey)) continue;
    const serving = servingRunners(queue, view);
    if (serving.length === 0 || wantsReplica(queue, serving)) cold.push(queue);
  }
  return cold;
}

const servingRunners = ({ spec }: ClassQueue, view: View): readonly RunnerView[] =>
  view
    .runnersOf(spec.name)
    .filter((runner) => (isServing(runner) || runner.state === 'loading') && canServe(runner.spec, spec));

/** All slots are taken (else nobody would wait), none is on its way, and one more runner is allowed. */
const wantsReplica = ({ spec }: ClassQueue, serving: readonly RunnerView[]): boolean =>
  serving.length < (spec.replicas ?? 1) && serving.every((runner) => runner.state !== 'loading');

function answerFor(queue: ClassQueue, view: View, nowMs: number): Answer {
  const { spec } = queue;
  const retryAtMs = view.retryAtMs(spec.name);
  if (retryAtMs > nowMs)
    return { kind: 'wait', untilMs: retryAtMs, reason: `it failed repeatedly, and is tried again shortly` };
  const found = sitesFor(spec, view);
  if ('failure' in found) return refuseOldest(queue, found.failure);
  const sites = found.sites.filter((site) => fitsBesidePins(queue, site, view));
  if (sites.length === 0) return refuseOldest(queue, cannotFitBesidePins(queue, found.sites, view));
  const older = view.runnersOf(spec.name);
  const isReplica = servingRunners(queue, view).length > 0;
  if (older.length > 0 && !isReplica) return replace(queue, older, sites, view, nowMs);
  return startNow(queue, sites, view) ?? makeRoom(queue, sites, view, nowMs, []);
}

function refuseOldest(queue: ClassQueue, failure: Failure): Answer {
  return { kind: 'refuse', leaseId: oldestOf(queue)?.leaseId ?? '', classKey: queue.spec.classKey, failure };
}

function roomBesidePins(device: DeviceView, queue: ClassQueue, view: View): number {
  let room = capacityOf(device);
  for (const runner of view.runners.values())
    if (runner.pinned && runner.spec.name !== queue.spec.name) room -= runner.reservation[device.id] ?? 0;
  return room;
}

function fitsBesidePins(queue: ClassQueue, site: Site, view: View): boolean {
  const room = site.reduce((sum, device) => sum + roomBesidePins(device, queue, view), 0);
  return queue.spec.needBytes <= room;
}

function cannotFitBesidePins(queue: ClassQueue, sites: readonly Site[], view: View): Failure {
  const pins = [...view.runners.values()].filter((runner) => runner.pinned).map((runner) => runner.spec.name);
  const rooms = sites
    .flat()
    .map((device) => `${device.id} ${formatBytes(roomBesidePins(device, queue, view))}`);
  return {
    code: 'does_not_fit',
    message: `${queue.spec.name} needs ${formatBytes(queue.spec.needBytes)} and cannot fit beside the pinned ${pins.join(', ')} (left: ${[...new Set(rooms)].join(', ')}). Unpin ${pins.length === 1 ? 'it' : 'one of them'}.`,
  };
}

/**
 * A process of this model is there and cannot serve the request: it has gone to go first, so that there are never two.
 * One that is on its way out is waited for; one whose successor would serve its clients as well goes at once.
 */
function replace(
  queue: ClassQueue,
  older: readonly RunnerView[],
  sites: readonly Site[],
  view: View,
  nowMs: number,
): Answer {
  const standing = older.filter((runner) => !isReturning(runner));
  const isWanted = standing.some(
    (runner) => runner.state === 'loading' && view.queuesOf(queue.spec.name).length > 1,
  );
  if (isWanted)
    return {
      kind: 'wait',
      untilMs: Infinity,
      reason: `${queue.spec.name} is being loaded with other options`,
    };
  const isCovered = standing.every((runner) => canServe(queue.spec, runner.spec));
  return makeRoom(queue, sites, view, nowMs, standing, isCovered);
}

/**
 * Ski-rental: evict once waiting has cost gamma times what the eviction is expected to cost, or the head's patience is at its end; at
 * the starvation bound also busy runners.
 */
function makeRoom(
  queue: ClassQueue,
  sites: readonly Site[],
  view: View,
  nowMs: number,
  forced: readonly RunnerView[],
  isFree = false,
): Answer {
  const { gamma, starvationMs } = view.settings;
  const starvesAtMs = headArrivalMs(queue) + starvationMs;
  const starves = nowMs >= starvesAtMs;
  const option = bestOption(queue, sites, view, nowMs, { forced, drain: false });
  if (option === null) {
    const drain = starves ? bestOption(queue, sites, view, nowMs, { forced, drain: true }) : null;
    return drain
      ? claimFor(queue, drain, view)
      : allInUse(queue, sites, view, starves ? Infinity : starvesAtMs);
  }
  // The model's own predecessor counts nothing: who asks for it again asks for either set of options.
  const others = option.victims.filter((runner) => runner.spec.name !== queue.spec.name);
  const lossSeconds = others.reduce((sum, runner) => sum + evictionLoss(runner, view, nowMs), 0);
  const count = queue.order.length;
  const shortMs =
    gamma * gainOfWaiting(queue, view) * lossSeconds * 1000 - (count * nowMs - queue.sumArrivalMs);
  const patientUntilMs = headArrivalMs(queue) + Math.min(starvationMs, MOST_PATIENCE_MS);
  if (nowMs >= patientUntilMs || isFree || shortMs <= 0) return claimFor(queue, option, view);
  const untilMs = Math.min(patientUntilMs, nowMs + Math.ceil(shortMs / count) + EPSILON_MS);
  const names = option.victims.map((runner) => runner.spec.name).join(', ');
  return {
    kind: 'wait',
    untilMs,
    reason: `${names} would have to go, and is likely to be wanted again at once`,
  };
}

/**
 * What waiting could save, as a share (0…1) of what the eviction costs: one swap may serve more requests of this model, if they
 * are known to come soon after one another. A model that is rarely asked for gains nothing, and a chance to evict may not
 * come again for long; so the square.
 */
const gainOfWaiting = ({ spec }: ClassQueue, view: View): number =>
  shareWithin(view.demandOf(spec.name), GAIN_HORIZON_SECONDS) ** 2;

function allInUse(queue: ClassQueue, sites: readonly Site[], view: View, untilMs: number): Answer {
  const need = formatBytes(Math.min(...sites.map((site) => siteNeed(queue.spec, site, view))));
  const where = [...new Set(sites.flat().map((device) => device.id))].join(', ');
  return {
    kind: 'wait',
    untilMs,
    reason: `needs ${need} on ${where}; what could be evicted there is in use`,
  };
}

/** Claims the memory: from now on nobody else can slip in, and the load starts once all whom it awaits have gone. */
function claimFor(queue: ClassQueue, { site, victims, costSeconds }: Option, view: View): Answer {
  const { spec } = queue;
  const givesBack = (runner: RunnerView): boolean =>
    runner.spec.name === spec.name ||
    isAtRunnerLimit(view) ||
    site.some((device) => (runner.reservation[device.id] ?? 0) > 0);
  const returning = [...view.runners.values()].filter((runner) => isReturning(runner) && givesBack(runner));
  const awaits = [...victims, ...returning].map((runner) => runner.id);
  if (awaits.length === 0)
    return { kind: 'wait', untilMs: Infinity, reason: 'the memory that is free is promised to others' };
  const room = (device: DeviceView): number =>
    freeEventually(device) + victims.reduce((sum, runner) => sum + (runner.reservation[device.id] ?? 0), 0);
  const where = contestedOn(site).map((device) => device.id);
  const rest = isOffload(site) ? ', the rest in main memory' : '';
  const reason = `needs ${formatBytes(siteNeed(spec, site, view))} on ${where.join(' + ')}${rest}`;
  return {
    kind: 'claim',
    classKey: spec.classKey,
    spec,
    reservation: shareOut(spec, site, room, view),
    awaits,
    victims: victims.map((runner) => ({
      runnerId: runner.id,
      ...(runner.spec.name === spec.name
        ? { code: 'other_options', reason: `${spec.name} is asked for with other options` }
        : {
            code: runner.leases.size > 0 ? 'starvation' : 'memory_wanted',
            reason: `${spec.name} ${reason}; cheapest to reload (${costSeconds.toFixed(1)} s expected)`,
          }),
    })),
    reason,
  };
}
