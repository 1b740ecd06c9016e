import { followClaims, grantNext, nextDeadline, refuseOverdue } from './default-policy.ts';
import { freeEventually, hostBytesOf, shareOut } from './memory.ts';
import { startNow } from './options.ts';
import { contestedOn, siteNeed, sitesFor, type Site } from './placement.ts';
import { headArrivalMs, oldestOf } from './queues.ts';
import { saidShares } from './said-shares.ts';
import { bytesOn, mainMemoryOf } from './shared-memory.ts';
import { isReturning, isServing } from './sharing.ts';
import type { ClassQueue, Decision, DeviceView, RunnerView, View } from './view.ts';

/** Sets of so many victims at most are compared; beyond that the largest go first. */
const LARGEST_SET = 4;

/**
 * The decisions of llama-swap's FIFO scheduler with its matrix router (internal/router at 0811ad0), for comparison: requests in order of
 * arrival; who finds its model loaded is served at once; who needs a swap gets it at once, unless it would stop a model that is in use
 * or loading, and then others pass it. Whom it stops is fixed: as few as possible, and those that were defined first stay.
 */
export function decideLikeFifo(view: View, nowMs: number): Decision {
  return (
    refuseOverdue(view, nowMs) ??
    grantNext(view) ??
    followClaims(view) ??
    swapInOrder(view) ?? { kind: 'rest', wakeAtMs: nextDeadline(view), waits: new Map() }
  );
}

function swapInOrder(view: View): Decision | null {
  const queues = [...view.queues.values()].toSorted((a, b) => headArrivalMs(a) - headArrivalMs(b));
  for (const queue of queues) {
    const { classKey, name } = queue.spec;
    if (isClaimed(name, view) || view.runnersOf(name).some((runner) => !isStale(runner, queue))) continue;
    const found = sitesFor(queue.spec, view);
    if ('failure' in found) {
      const { failure } = found;
      return { kind: 'refuse', leaseId: oldestOf(queue)?.leaseId ?? '', classKey, failure };
    }
    if ('paused' in found) continue;
    const start = view.runnersOf(name).length === 0 ? startNow(queue, found.sites, view) : null;
    const decision = start ?? swapFor(queue, found.sites, view);
    if (decision) return decision;
  }
  return null;
}

/** Its place is being made, with these options or with others: there is one process of a model. */
const isClaimed = (model: string, { claims }: View): boolean =>
  [...claims.values()].some(({ spec }) => spec.name === model);

/** A process of the model that is loaded with other options. */
const isStale = (runner: RunnerView, { spec }: Pick<ClassQueue, 'spec'>): boolean =>
  isServing(runner) && runner.spec.classKey !== spec.classKey;

function swapFor(queue: ClassQueue, sites: readonly Site[], view: View): Decision | null {
  const { spec } = queue;
  const stale = view.runnersOf(spec.name).filter((runner) => isStale(runner, queue));
  let best: { site: Site; victims: readonly RunnerView[] } | null = null;
  for (const site of sites) {
    const victims = victimsOn(site, queue, stale, view);
    if (victims && (best === null || victims.length < best.victims.length)) best = { site, victims };
  }
  if (best === null || best.victims.some((runner) => isInUse(runner, view))) return null;
  const { site, victims } = best;
  const returning = [...view.runners.values()].filter(isReturning);
  const awaits = [...victims, ...returning].map(({ id }) => id);
  if (awaits.length === 0) return null;
  const given = (id: string): number =>
    victims.reduce((sum, { reservation }) => sum + (reservation[id] ?? 0), 0);
  const reason = `${spec.name} is next in line`;
  return {
    kind: 'claim',
    classKey: spec.classKey,
    spec,
    reservation: shareOut(spec, site, (device) => freeEventually(device) + given(device.id), view),
    awaits,
    victims: victims.map(({ id: runnerId, spec: { name } }) => ({
      runnerId,
      code: name === spec.name ? 'other_options' : 'memory_wanted',
      reason,
    })),
    reason,
  };
}

const isInUse = (runner: RunnerView, view: View): boolean =>
  runner.state !== 'idle' || view.queuesOf(runner.spec.name).some((queue) => !isStale(runner, queue));

/** The fewest that have to go besides `stale`; of equal sets, that which leaves those that were defined first. */
function victimsOn(
  site: Site,
  queue: ClassQueue,
  stale: readonly RunnerView[],
  view: View,
): readonly RunnerView[] | null {
  const missingOf = (devices: Site): number =>
    devices.reduce((sum, device) => sum - freeEventually(device), siteNeed(queue.spec, site, view)) -
    stale.reduce((sum, one) => sum + freedOn(devices, one, view), 0);
  const contested = contestedOn(site);
  // What is short may be main memory, which others than the GPU's own runners can give back.
  const main = contested.some((one) => one.sharesMainMemory) ? mainMemoryOf(site, view) : undefined;
  const ownMissing = missingOf(contested);
  const missing = Math.max(ownMissing, main ? missingOf([main]) : 0);
  const from = main && ownMissing <= 0 ? [main] : contested;
  const freed = (runner: RunnerView): number => freedOn(from, runner, view);
  const candidates = [...view.runners.values()]
    .filter(
      (runner) => !isReturning(runner) && !runner.pinned && !stale.includes(runner) && freed(runner) > 0,
    )
    .toSorted((a, b) => rankOf(b) - rankOf(a));
  const isOneTooMany = stale.length === 0 && hasNoPlaceLeft(view);
  const set = smallestSet(candidates, freed, Math.max(missing, isOneTooMany ? 1 : 0));
  if (set === null) return null;
  let victims = [...stale, ...set];
  for (const [device, needBytes] of singleNeeds(queue, site, view)) {
    const given = victims.reduce((sum, one) => sum + freedOn([device], one, view), 0);
    const others = standing(view).filter((one) => !one.pinned && !victims.includes(one));
    const more = smallestSet(
      others.toSorted((a, b) => rankOf(b) - rankOf(a)),
      (runner) => freedOn([device], runner, view),
      needBytes - freeEventually(device) - given,
    );
    if (more === null) return null;
    victims = [...victims, ...more];
  }
  return victims;
}

/** What a model wants of single devices, however much the others have: shares that its arguments say, and what stays in main memory. */
function singleNeeds(
  { spec }: ClassQueue,
  site: Site,
  view: View,
): readonly (readonly [device: DeviceView, bytes: number])[] {
  const said = saidShares(spec, site, view) ?? {};
  const hostBytes = hostBytesOf(spec);
  const isOnCpu = site.some(({ kind, sharesMainMemory }) => kind === 'cpu' || sharesMainMemory);
  const main = isOnCpu ? undefined : mainMemoryOf(site, view, hostBytes);
  return [
    ...site.flatMap((device) =>
      said[device.id] === undefined ? [] : [[device, said[device.id] ?? 0] as const],
    ),
    ...(main ? [[main, hostBytes] as const] : []),
  ];
}

const standing = ({ runners }: View): readonly RunnerView[] =>
  [...runners.values()].filter((runner) => !isReturning(runner));

const freedOn = (devices: Site, { reservation }: RunnerView, view: View): number =>
  devices.reduce((sum, device) => sum + bytesOn(reservation, device, view.devices), 0);

function hasNoPlaceLeft({ settings, runners, claims }: View): boolean {
  const count = [...runners.values()].filter((runner) => !isReturning(runner)).length;
  return settings.maxRunners !== null && count + claims.size >= settings.maxRunners;
}

const rankOf = ({ spec }: RunnerView): number => spec.rank ?? Number.MAX_SAFE_INTEGER;

type Freed = (runner: RunnerView) => number;

function smallestSet(
  from: readonly RunnerView[],
  freed: Freed,
  missing: number,
): readonly RunnerView[] | null {
  for (let size = 0; size <= Math.min(LARGEST_SET, from.length); size++) {
    const set = firstSet(from, freed, missing, size);
    if (set) return set;
  }
  const set: RunnerView[] = [];
  let left = missing;
  for (const runner of from.toSorted((a, b) => freed(b) - freed(a))) {
    if (left <= 0) break;
    set.push(runner);
    left -= freed(runner);
  }
  return left <= 0 ? set : null;
}

/** The first set of that size, in the order of the list, that frees enough. */
function firstSet(
  from: readonly RunnerView[],
  freed: Freed,
  missing: number,
  size: number,
): readonly RunnerView[] | null {
  if (size === 0) return missing <= 0 ? [] : null;
  for (const [i, runner] of from.entries()) {
    const rest = firstSet(from.slice(i + 1), freed, missing - freed(runner), size - 1);
    if (rest) return [runner, ...rest];
  }
  return null;
}
