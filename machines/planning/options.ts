import { freeEventually, freeNow, isGone, shareOut } from './memory.ts';
import { contestedOn, isOffload, siteNeed, wholeNeed, type Site } from './placement.ts';
import type { ModelSpec } from '../vocabulary.ts';
import { isReturning } from './sharing.ts';
import { cheapestVictims, type VictimSet } from './victims.ts';
import type { ClassQueue, Decision, DeviceView, RunnerView, View } from './view.ts';

/** A split over devices has to be this much cheaper than a single device to be preferred. */
const SPLIT_SURCHARGE_SECONDS = 0.5;
const NOBODY: VictimSet = { runners: [], cost: 0, reloadSeconds: 0 };

/** A place that a model could have, and who would have to go for it. */
export interface Option {
  readonly site: Site;
  readonly victims: readonly RunnerView[];
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
    const freeBytes = contestedOn(site).reduce((sum, device) => sum + Math.max(0, room(device)), 0);
    if (freeBytes < siteNeed(spec, site, view) || !restFits(spec, site, freeBytes, room, view)) continue;
    if (best === null || (isSameRank(site, best.site, spec.devices) && freeBytes > best.freeBytes))
      best = { site, freeBytes };
  }
  if (best === null) return null;
  const where = best.site.map((device) => device.id).join(' + ');
  const reservation = shareOut(spec, best.site, room, view);
  const gone = [...view.devices.values()].filter(isGone).map(({ id }) => id);
  const warning = gone.length > 0 ? `; ${gone.join(', ')} cannot be seen any more` : '';
  return { kind: 'start', classKey: spec.classKey, spec, reservation, reason: `fits on ${where}${warning}` };
}

const together = (a: VictimSet, b: VictimSet): VictimSet => ({
  runners: [...a.runners, ...b.runners],
  cost: a.cost + b.cost,
  reloadSeconds: a.reloadSeconds + b.reloadSeconds,
});

/** Of a partial offload, whether main memory has room for what does not go to the GPUs. */
export function restFits(
  spec: ModelSpec,
  site: Site,
  gpuBytes: number,
  roomOf: (device: DeviceView) => number,
  view: View,
): boolean {
  const cpu = site.at(-1);
  return !isOffload(site) || (cpu !== undefined && wholeNeed(spec, site, view) - gpuBytes <= roomOf(cpu));
}

/** Room decides only between devices of a kind, and never against the model's own list. */
const isSameRank = (a: Site, b: Site, listed: readonly string[] | null): boolean =>
  listed === null && a[0]?.kind === b[0]?.kind;

/**
 * The cheapest way to make room, or null. `forced` have to go in any case (they are replaced); `drain` allows busy
 * victims.
 */
export function bestOption(
  queue: ClassQueue,
  sites: readonly Site[],
  view: View,
  nowMs: number,
  { forced, drain }: { forced: readonly RunnerView[]; drain: boolean },
): Option | null {
  let best: Option | null = null;
  let bestPrice = Infinity;
  for (const site of sites) {
    const victims = victimsFor(queue, site, view, nowMs, forced, drain);
    if (victims === null) continue;
    const price = victims.cost + (site.length > 1 ? SPLIT_SURCHARGE_SECONDS : 0);
    if (price >= bestPrice - 1e-9) continue;
    const others = victims.runners.filter((runner) => !forced.includes(runner));
    best = { site, victims: [...forced, ...others], costSeconds: victims.reloadSeconds };
    bestPrice = price;
  }
  return best;
}

function victimsFor(
  queue: ClassQueue,
  site: Site,
  view: View,
  nowMs: number,
  forced: readonly RunnerView[],
  drain: boolean,
): VictimSet | null {
  const givenUp = (device: DeviceView): number =>
    forced.reduce((sum, runner) => sum + (runner.reservation[device.id] ?? 0), 0);
  const contested = contestedOn(site);
  const room = contested.reduce((sum, device) => sum + freeEventually(device) + givenUp(device), 0);
  const isOneTooMany =
    isAtRunnerLimit(view) && forced.length === 0 && ![...view.runners.values()].some(isReturning);
  const needBytes = siteNeed(queue.spec, site, view);
  const missingBytes = Math.max(needBytes - room, isOneTooMany ? 1 : 0);
  const victims = missingBytes > 0 ? cheapestVictims(view, contested, missingBytes, nowMs, drain) : NOBODY;
  const cpu = isOffload(site) ? site.at(-1) : undefined;
  if (victims === null || cpu === undefined) return victims;
  const freed = victims.runners.reduce((sum, runner) => sum + (runner.reservation[cpu.id] ?? 0), 0);
  const restBytes = wholeNeed(queue.spec, site, view) - needBytes;
  const missingOnCpu = restBytes - freeEventually(cpu) - givenUp(cpu) - freed;
  if (missingOnCpu <= 0) return victims;
  const more = cheapestVictims(view, [cpu], missingOnCpu, nowMs, drain, victims.runners);
  return more && together(victims, more);
}
