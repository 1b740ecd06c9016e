import { freeNow, hostBytesOf, isGone, shareOut, unpinnedOn } from './memory.ts';
import { contestedOn, restFits, siteNeed, wholeNeed, type Site } from './placement.ts';
import { saidShares } from './said-shares.ts';
import { bytesOn, mainMemoryOf, siteRoom } from './shared-memory.ts';
import { isReturning } from './sharing.ts';
import { cheapestVictims, type Hunt, type Resource, type VictimSet, type Who } from './victims.ts';
import type { ClassQueue, Decision, DeviceView, RunnerView, View } from './view.ts';

/** A split over devices has to be cheaper than a single device by this share of the load, to be preferred. */
const SPLIT_SURCHARGE = 0.1;
const NOBODY: VictimSet = { runners: [], cost: 0, waitSeconds: 0 };

/** A place that a model could have, and who would have to go for it. */
export interface Option {
  readonly site: Site;
  readonly victims: readonly RunnerView[];
  /** Seconds of waiting that the going of those who are not replaced is expected to cost. */
  readonly costSeconds: number;
}

/** Whether one more runner would be one too many. */
export const isAtRunnerLimit = (view: View): boolean =>
  view.settings.maxRunners !== null && view.runners.size + view.claims.size >= view.settings.maxRunners;

/** Room for it this moment: no waiting, nobody has to go. The roomiest single device, else the smallest split. */
export function startNow(queue: ClassQueue, sites: readonly Site[], view: View): Decision | null {
  if (isAtRunnerLimit(view)) return null;
  const { spec } = queue;
  const room = (device: DeviceView): number => freeNow(view, device, spec.classKey);
  let best: { site: Site; freeBytes: number } | null = null;
  for (const site of sites) {
    if (best && site.length > 1) break;
    const freeBytes = siteRoom(contestedOn(site), view, room);
    if (freeBytes < siteNeed(spec, site, view) || !restFits(spec, site, room, view)) continue;
    if (best === null || (isSameRank(site, best.site, spec.devices) && freeBytes > best.freeBytes))
      best = { site, freeBytes };
  }
  if (best === null) return null;
  const where = best.site.map((device) => device.id).join(' + ');
  const aside = spec.launch.expertsOnCpu ? ', its experts in main memory' : '';
  const reservation = shareOut(spec, best.site, room, view);
  const gone = [...view.devices.values()].filter(isGone).map(({ id }) => id);
  const warning = gone.length > 0 ? `; ${gone.join(', ')} cannot be seen any more` : '';
  return {
    kind: 'start',
    classKey: spec.classKey,
    spec,
    reservation,
    reason: `fits on ${where}${aside}${warning}`,
  };
}

const together = (a: VictimSet, b: VictimSet): VictimSet => ({
  runners: [...a.runners, ...b.runners],
  cost: a.cost + b.cost,
  waitSeconds: a.waitSeconds + b.waitSeconds,
});

/** Room decides only between devices of a kind, and never against the model's own list. */
const isSameRank = (a: Site, b: Site, listed: readonly string[] | null): boolean =>
  listed === null && a[0]?.kind === b[0]?.kind;

/** Somebody who wants room, as things are. */
export interface Want {
  readonly queue: ClassQueue;
  readonly sites: readonly Site[];
  readonly view: View;
  readonly nowMs: number;
  /** Runners that have to go in any case: they are replaced. */
  readonly forced: readonly RunnerView[];
  /** What is free of a device, without anybody else having to go. */
  readonly roomOn: (device: DeviceView) => number;
  /** Whether that is only what is free now, and not what runners on their way out will give back. */
  readonly isFreeOnly: boolean;
}

/** The cheapest way to make room, or null; `who` says who may have to go. */
export function bestOption(want: Want, who: Who): Option | null {
  const { queue, sites, view, forced } = want;
  const surcharge = SPLIT_SURCHARGE * view.reloadSecondsOf(queue.spec);
  let best: Option | null = null;
  let bestPrice = Infinity;
  for (const site of sites) {
    const victims = victimsFor(want, site, who);
    if (victims === null) continue;
    const price = victims.cost + (site.length > 1 ? surcharge : 0);
    if (price >= bestPrice - 1e-9) continue;
    const others = victims.runners.filter((runner) => !forced.includes(runner));
    best = { site, victims: [...forced, ...others], costSeconds: victims.waitSeconds };
    bestPrice = price;
  }
  return best;
}

function victimsFor(want: Want, site: Site, who: Who): VictimSet | null {
  const { queue, view, nowMs, forced, roomOn } = want;
  const hunt = { nowMs, who, otherSeconds: view.reloadSecondsOf(queue.spec), except: forced };
  const givenUp = (device: DeviceView): number =>
    forced.reduce((sum, runner) => sum + bytesOn(runner.reservation, device, view.devices), 0);
  // Where pinned models hold all that there may be, or more, nobody's going would help.
  const contested = contestedOn(site).filter((device) => unpinnedOn(device, queue.spec, view) > 0);
  const room = contested.reduce((sum, device) => sum + roomOn(device) + givenUp(device), 0);
  const needBytes = siteNeed(queue.spec, site, view);
  const onGpus = needBytes > room ? cheapestVictims(view, contested, needBytes - room, hunt) : NOBODY;
  let victims = onGpus && withOthers(onGpus, 'runners', runnersTooMany(view) - forced.length, view, hunt);
  const said = saidShares(queue.spec, site, view) ?? {};
  for (const device of site) {
    if (victims === null || said[device.id] === undefined) continue;
    const missing =
      (said[device.id] ?? 0) - roomOn(device) - givenUp(device) - freedOn(device, victims, view);
    if (missing > 0) victims = withOthers(victims, [device], missing, view, hunt);
  }
  const hostBytes = hostBytesOf(queue.spec);
  const main = site[0]?.kind === 'cpu' ? undefined : mainMemoryOf(site, view, hostBytes);
  if (victims === null || main === undefined) return victims;
  const wholeBytes = wholeNeed(queue.spec, site, view) + hostBytes;
  const takenBytes = wholeBytes - (site[0]?.sharesMainMemory ? 0 : needBytes);
  const missingBytes = takenBytes - roomOn(main) - givenUp(main) - freedOn(main, victims, view);
  if (missingBytes <= 0) return victims;
  return withOthers(victims, [main], missingBytes, view, hunt);
}

const freedOn = (device: DeviceView, { runners }: VictimSet, view: View): number =>
  runners.reduce((sum, { reservation }) => sum + bytesOn(reservation, device, view.devices), 0);

/** Victims, and whoever else has to go for something else that is short, wherever they are; null where there is not enough of it. */
function withOthers(
  victims: VictimSet,
  resource: Resource,
  missing: number,
  view: View,
  hunt: Hunt,
): VictimSet | null {
  // In the number of runners, every victim counts for one.
  const still = resource === 'runners' ? missing - victims.runners.length : missing;
  if (still <= 0) return victims;
  const others = cheapestVictims(view, resource, still, {
    ...hunt,
    except: [...(hunt.except ?? []), ...victims.runners],
  });
  return others && together(victims, others);
}

/** How many runners there would be too many with one more, when all have gone who are on their way out. */
function runnersTooMany({ settings, runners, claims }: View): number {
  if (settings.maxRunners === null) return 0;
  const standing = [...runners.values()].filter((runner) => !isReturning(runner));
  return standing.length + claims.size + 1 - settings.maxRunners;
}
