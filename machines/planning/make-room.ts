import { formatBytes } from '../vocabulary.ts';
import { closeness } from './demand.ts';
import { refuseUncommanded } from './manual.ts';
import { shareOut } from './memory.ts';
import { bestOption, isAtRunnerLimit, type Option, type Want } from './options.ts';
import { contestedOn, isOffload, siteNeed, type Site } from './placement.ts';
import { headArrivalMs } from './queues.ts';
import { bytesOn, mainMemoryOf } from './shared-memory.ts';
import { isReturning } from './sharing.ts';
import { evictionCost } from './victims.ts';
import type { ClassQueue, Decision, DeviceView, RunnerView, View } from './view.ts';

/** A timer at a computed time may fire a hair early; without this the loop would not advance. */
const EPSILON_MS = 1;
/** Nobody who could have the memory of an idle model is put off for longer than so many round trips. */
const MOST_PATIENCE = 2;
/** A model that is never idle keeps its memory for so many times what a change costs, while others wait… */
const LONGEST_TURN = 3;
/** …and for longer if it serves more at a time than wait, up to so many times. */
const MOST_SERVED = 3;
/** By how much a victim has to be cheaper to be waited for. */
const CLEARLY = 1.25;

/** What one queue can get now, or why it has to wait and until when. */
export type Answer = Decision | Wait;

export interface Wait {
  readonly kind: 'wait';
  readonly untilMs: number;
  readonly reason: string;
}

/**
 * Room for a queue that has none: the cheapest idle runners go once that pays (`goFor`); where none suffice, busy ones are drained after
 * their turn. `isFree`: the model's own predecessor goes, whose clients its successor serves as well.
 */
export function makeRoom(want: Want, isFree = false): Answer {
  const option = bestOption(want, 'idle');
  const uncommanded = refuseUncommanded(want, option ?? bestOption(want, 'all'));
  if (uncommanded) return uncommanded;
  if (option === null) return drain(want);
  const others = notItself(option, want);
  return isFree || others.length === 0 ? claimFor(want, option) : goFor(want, option, others);
}

/** The same for a queue whose claim waits for busy runners: only idle ones can be better. */
export function makeRoomElsewhere(want: Want): Answer {
  const option = want.view.settings.eviction === 'manual' ? null : bestOption(want, 'idle');
  return option === null || option.victims.length === 0
    ? { kind: 'wait', untilMs: Infinity, reason: 'its memory is on its way' }
    : goFor(want, option, option.victims);
}

/** A model's own predecessor counts nothing: who asks for it again asks for either set of options. */
const notItself = ({ victims }: Option, { queue }: Want): readonly RunnerView[] =>
  victims.filter((runner) => runner.spec.name !== queue.spec.name);

/**
 * Rent or buy: idle runners go once the waiting for them adds up to `gamma` of the waiting that their going is expected to cost, or
 * the head's patience is at its end. All of it is counted from when they became ready: they have their turn, however long others have
 * waited before. Every time is measured by the loads concerned, so that quick and slow machines decide alike.
 */
function goFor(want: Want, option: Option, victims: readonly RunnerView[]): Answer {
  const { queue, view, nowMs } = want;
  const headMs = headArrivalMs(queue);
  const readyMs = turnBegan(victims);
  const roundTripMs = roundTripSeconds(queue, victims, view) * 1000;
  const patientUntilMs = Math.min(
    headMs + view.settings.starvationMs,
    Math.max(headMs, readyMs) + MOST_PATIENCE * roundTripMs,
  );
  const lossMs = sparingGain(want, victims);
  const near = closeness(view.demandOf(queue.spec.name), roundTripMs / 1000);
  const shortMs = isWorthWaitingForOthers(want, lossMs)
    ? Infinity
    : view.settings.gamma * near * lossMs - waitedMs(queue, readyMs, nowMs);
  if (nowMs >= patientUntilMs || shortMs <= 0) return claimFor(want, option);
  const names = victims.map((runner) => runner.spec.name).join(', ');
  return {
    kind: 'wait',
    untilMs: Math.min(patientUntilMs, nowMs + Math.ceil(shortMs / queue.order.length)) + EPSILON_MS,
    reason: `${names} would have to go, and is likely to be wanted again at once`,
  };
}

/** How long the victims would be away at the least: until the new one has loaded, and the slowest of them has again. */
const roundTripSeconds = ({ spec }: ClassQueue, victims: readonly RunnerView[], view: View): number =>
  view.reloadSecondsOf(spec) + Math.max(0, ...victims.map((runner) => view.reloadSecondsOf(runner.spec)));

/**
 * The waiting in ms that sparing them is expected to save: what their going costs, as far as sparing them has paid. One that stays beyond
 * its keep-alive is not spared.
 */
function sparingGain({ queue, view, nowMs }: Want, victims: readonly RunnerView[]): number {
  const otherSeconds = view.reloadSecondsOf(queue.spec);
  let seconds = 0;
  for (const runner of victims)
    if (!runner.overstayed)
      seconds += view.sparingOf(runner.spec.name) * evictionCost(runner, view, { nowMs, otherSeconds });
  return seconds * 1000;
}

/**
 * Whether a set with runners that are in use or loading now would be clearly cheaper: one that is always wanted does not go just
 * because the rarely wanted one beside it has something to do at the moment.
 */
function isWorthWaitingForOthers(want: Want, lossMs: number): boolean {
  const later = bestOption(want, 'all');
  return later !== null && CLEARLY * sparingGain(want, later.victims) < lossMs;
}

/** When the latest of them became ready. */
const turnBegan = (victims: readonly RunnerView[]): number =>
  Math.max(0, ...victims.map(({ readyAtMs }) => readyAtMs ?? 0));

/** What all in a queue have waited since then, together. */
function waitedMs(queue: ClassQueue, sinceMs: number, nowMs: number): number {
  let sum = queue.order.length * nowMs - queue.sumArrivalMs;
  for (const { arrivedAtMs } of queue.arrivals) {
    if (arrivedAtMs >= sinceMs) break;
    sum -= sinceMs - arrivedAtMs;
  }
  return sum;
}

/**
 * Nothing but busy runners is left: once they have had a turn that is long beside what the change costs, they finish what they run and
 * take nothing new.
 */
function drain(want: Want): Answer {
  const { queue, view, nowMs } = want;
  const headMs = headArrivalMs(queue);
  const starvesAtMs = headMs + view.settings.starvationMs;
  // No turn is shorter than this; until then the search for victims is spared.
  const soonestMs = Math.min(starvesAtMs, headMs + LONGEST_TURN * 1000 * view.reloadSecondsOf(queue.spec));
  if (nowMs < soonestMs) return allInUse(want, soonestMs);
  const option = bestOption(want, 'busy');
  if (option === null) return allInUse(want, Infinity);
  const others = notItself(option, want);
  const drainSeconds = Math.max(0, ...others.map(({ spec }) => view.serviceSecondsOf(spec)));
  const changeMs = 1000 * (roundTripSeconds(queue, others, view) + drainSeconds);
  const served = others.reduce((sum, { leases }) => sum + leases, 0);
  const turnMs = LONGEST_TURN * changeMs * Math.min(MOST_SERVED, Math.max(1, served / queue.order.length));
  const untilMs = Math.min(starvesAtMs, Math.max(headMs, turnBegan(others)) + turnMs);
  return nowMs >= untilMs ? claimFor(want, option) : allInUse(want, untilMs);
}

function allInUse({ queue, sites, view }: Want, untilMs: number): Answer {
  const need = formatBytes(Math.min(...sites.map((site) => siteNeed(queue.spec, site, view))));
  const where = [...new Set(sites.flat().map((device) => device.id))].join(', ');
  return {
    kind: 'wait',
    untilMs: untilMs + EPSILON_MS,
    reason: `needs ${need} on ${where}; ${whatIsThere(sites, view)}`,
  };
}

/** What stands in the way: never "in use" where nothing is. */
function whatIsThere(sites: readonly Site[], view: View): string {
  const devices = new Set(sites.flatMap((site) => [...site, mainMemoryOf(site, view) ?? []].flat()));
  const isThere = ({ reservation }: RunnerView): boolean =>
    [...devices].some((device) => bytesOn(reservation, device, view.devices) > 0);
  const isInUse = ({ pinned, leases, state, spec }: RunnerView): boolean =>
    !pinned && (leases > 0 || state === 'loading' || view.queuesOf(spec.name).length > 0);
  const runners = [...view.runners.values()].filter((runner) => isAtRunnerLimit(view) || isThere(runner));
  if (runners.some(isInUse)) return 'what could be evicted there is in use';
  const held = [...devices].filter(({ othersBytes }) => othersBytes > 0);
  return held.length > 0
    ? `other programs hold ${held.map(({ id, othersBytes }) => `${formatBytes(othersBytes)} of ${id}`).join(', ')}`
    : 'what is there cannot go now';
}

/** Claims the memory: from now on nobody else can slip in, and the load starts once all whom it awaits have gone. */
function claimFor(want: Want, { site, victims, costSeconds }: Option): Answer {
  const { queue, view } = want;
  const { spec } = queue;
  const main = mainMemoryOf(site, view, spec.hostBytes);
  const givesBack = (runner: RunnerView): boolean =>
    runner.spec.name === spec.name ||
    isAtRunnerLimit(view) ||
    [...site, ...(main ? [main] : [])].some(
      (device) => bytesOn(runner.reservation, device, view.devices) > 0,
    );
  const returning = want.isFreeOnly
    ? []
    : [...view.runners.values()].filter((runner) => isReturning(runner) && givesBack(runner));
  const awaits = [...victims, ...returning].map((runner) => runner.id);
  if (awaits.length === 0)
    return { kind: 'wait', untilMs: Infinity, reason: 'the memory that is free is promised to others' };
  const room = (device: DeviceView): number =>
    want.roomOn(device) +
    victims.reduce((sum, runner) => sum + bytesOn(runner.reservation, device, view.devices), 0);
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
            code: runner.leases > 0 ? 'starvation' : 'memory_wanted',
            reason: `${spec.name} ${reason}; cheapest to evict (${costSeconds.toFixed(1)} s of waiting expected)`,
          }),
    })),
    reason,
  };
}
