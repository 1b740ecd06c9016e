import { chanceWithin } from './demand.ts';
import type { Site } from './placement.ts';
import type { RunnerView, View } from './view.ts';

/** Search steps after which the exact search gives way to the greedy one. */
const MAX_STEPS = 5000;
/** A busy runner is taken only when no idle set suffices: its leases have to end first. */
const BUSY_COST = 1000;
const COST_PER_LEASE = 10;

/** A runner that stays beyond its keep-alive counts for less: it goes before another that is as likely to be wanted. */
const OVERSTAYED_SHARE = 0.75;
/** Who is wanted again within half a minute with no more than this chance is not worth waiting for. */
const NEGLIGIBLE_CHANCE = 0.25;

export interface VictimSet {
  readonly runners: readonly RunnerView[];
  /** What sets are compared by: the reloading that they are expected to cost, busy ones at a surcharge. */
  readonly cost: number;
  /** Seconds of reloading that evicting them is expected to cost. */
  readonly reloadSeconds: number;
}

/** Seconds of reloading that evicting a runner is expected to cost: reload time × chance that it is wanted again. */
export function evictionCost(runner: RunnerView, view: View, nowMs: number): number {
  const own = view.demandOf(runner.spec.name);
  const within = (seconds: number): number => chanceWithin(own, view.pooledDemand, nowMs, seconds);
  const cost = view.reloadSecondsOf(runner.spec) * (0.7 * within(60) + 0.3 * within(900));
  return runner.overstayed ? OVERSTAYED_SHARE * cost : cost;
}

/** The part of that cost which falls due soon: what waiting could save. */
export function evictionLoss(runner: RunnerView, view: View, nowMs: number): number {
  if (runner.overstayed) return 0;
  const chance = chanceWithin(view.demandOf(runner.spec.name), view.pooledDemand, nowMs, 30);
  const excess = Math.max(0, chance - NEGLIGIBLE_CHANCE) / (1 - NEGLIGIBLE_CHANCE);
  return view.reloadSecondsOf(runner.spec) * excess;
}

/** Idle, or loading for nobody: it may go without anyone losing a lease. */
function isExpendable(runner: RunnerView, view: View): boolean {
  if (runner.pinned) return false;
  if (runner.state !== 'idle' && runner.state !== 'loading') return false;
  return runner.leases.size === 0 && view.queuesOf(runner.spec.name).length === 0;
}

const isDrainable = (runner: RunnerView): boolean =>
  !runner.pinned && (runner.state === 'idle' || runner.state === 'ready');

const freedOn = (runner: RunnerView, site: Site): number =>
  site.reduce((sum, device) => sum + (runner.reservation[device.id] ?? 0), 0);

interface Candidate {
  readonly runner: RunnerView;
  readonly freedBytes: number;
  readonly cost: number;
  readonly reloadSeconds: number;
}

/**
 * The cheapest set of runners whose going frees `missingBytes` on a site, or null. A runner that frees nothing there is
 * never in it, nor is one of `except`. With `drain`, busy runners count too, at a high price.
 */
export function cheapestVictims(
  view: View,
  site: Site,
  missingBytes: number,
  nowMs: number,
  drain: boolean,
  except: readonly RunnerView[] = [],
): VictimSet | null {
  const candidates: Candidate[] = [];
  for (const runner of view.runners.values()) {
    const freedBytes = freedOn(runner, site);
    if (freedBytes <= 0 || except.includes(runner)) continue;
    if (!isExpendable(runner, view) && !(drain && isDrainable(runner))) continue;
    const busy = runner.leases.size > 0 || runner.state === 'ready';
    const surcharge = busy ? BUSY_COST + COST_PER_LEASE * runner.leases.size : 0;
    const reloadSeconds = evictionCost(runner, view, nowMs);
    candidates.push({ runner, freedBytes, cost: reloadSeconds + surcharge, reloadSeconds });
  }
  if (candidates.reduce((sum, { freedBytes }) => sum + freedBytes, 0) < missingBytes) return null;
  candidates.sort(byUsefulness);
  return search(candidates, missingBytes);
}

/** Cheap per byte first; equal ones: the least recently used, then by name and id, so that equal views give equal plans. */
function byUsefulness(a: Candidate, b: Candidate): number {
  return (
    a.cost / a.freedBytes - b.cost / b.freedBytes ||
    a.runner.lastUsedAtMs - b.runner.lastUsedAtMs ||
    (a.runner.spec.name < b.runner.spec.name ? -1 : a.runner.spec.name > b.runner.spec.name ? 1 : 0) ||
    (a.runner.id < b.runner.id ? -1 : 1)
  );
}

/** Branch and bound over "take it or leave it", best candidates first; the greedy set is the first bound. */
function search(candidates: readonly Candidate[], missingBytes: number): VictimSet {
  let best = greedy(candidates, missingBytes);
  let bestCost = costOf(best);
  const restBytes = new Float64Array(candidates.length + 1);
  for (let i = candidates.length - 1; i >= 0; i--)
    restBytes[i] = (restBytes[i + 1] ?? 0) + (candidates[i]?.freedBytes ?? 0);
  let steps = 0;
  const taken: Candidate[] = [];
  const visit = (i: number, cost: number, freed: number): void => {
    if (freed >= missingBytes) {
      if (cost < bestCost - 1e-9 || (cost < bestCost + 1e-9 && taken.length < best.length)) {
        best = [...taken];
        bestCost = cost;
      }
      return;
    }
    const candidate = candidates[i];
    if (!candidate || ++steps > MAX_STEPS) return;
    if (cost > bestCost || freed + (restBytes[i] ?? 0) < missingBytes) return;
    taken.push(candidate);
    visit(i + 1, cost + candidate.cost, freed + candidate.freedBytes);
    taken.pop();
    visit(i + 1, cost, freed);
  };
  visit(0, 0, 0);
  const reloadSeconds = best.reduce((sum, candidate) => sum + candidate.reloadSeconds, 0);
  return { runners: best.map(({ runner }) => runner), cost: bestCost, reloadSeconds };
}

/** Takes until it suffices, then drops whatever turned out superfluous, the dearest first. */
function greedy(candidates: readonly Candidate[], missingBytes: number): Candidate[] {
  const taken: Candidate[] = [];
  let freed = 0;
  for (const candidate of candidates) {
    if (freed >= missingBytes) break;
    taken.push(candidate);
    freed += candidate.freedBytes;
  }
  for (const candidate of taken.toSorted((a, b) => b.cost - a.cost)) {
    if (freed - candidate.freedBytes < missingBytes) continue;
    taken.splice(taken.indexOf(candidate), 1);
    freed -= candidate.freedBytes;
  }
  return taken;
}

const costOf = (candidates: readonly Candidate[]): number =>
  candidates.reduce((sum, { cost }) => sum + cost, 0);
