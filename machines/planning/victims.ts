import { expectedWait } from './demand.ts';
import type { Site } from './placement.ts';
import { bytesOn } from './shared-memory.ts';
import { isReturning, isServing } from './sharing.ts';
import type { RunnerView, View } from './view.ts';

/** Search steps after which the exact search gives way to the greedy one. */
const MAX_STEPS = 5000;
/** A runner that stays beyond its keep-alive counts for less: it goes before another that is as likely to be wanted. */
const OVERSTAYED_SHARE = 0.75;

export interface VictimSet {
  readonly runners: readonly RunnerView[];
  /** What sets are compared by: the waiting that they are expected to cost, busy ones at a surcharge. */
  readonly cost: number;
  /** Seconds of waiting that evicting them is expected to cost. */
  readonly waitSeconds: number;
}

/** Seconds of waiting that evicting a runner is expected to cost: of its next request, times how many are likely to wait with it. */
export function evictionCost(
  { spec, state, leases, overstayed }: RunnerView,
  view: View,
  { nowMs, otherSeconds }: Pick<Hunt, 'nowMs' | 'otherSeconds'>,
): number {
  const own = view.demandOf(spec.name);
  const isQuiet = leases === 0 && state !== 'loading';
  const quietSeconds = isQuiet ? (nowMs - (own.lastActiveMs ?? nowMs)) / 1000 : 0;
  const loads = { ownSeconds: view.reloadSecondsOf(spec), otherSeconds };
  const cost = view.crowdOf(spec) * expectedWait(own, view.pooledDemand, quietSeconds, loads);
  return overstayed ? OVERSTAYED_SHARE * cost : cost;
}

/** Idle, or loading for nobody: it may go without anyone losing a lease. */
function isExpendable(runner: RunnerView, view: View): boolean {
  if (runner.pinned) return false;
  if (runner.state !== 'idle' && runner.state !== 'loading') return false;
  return runner.leases === 0 && view.queuesOf(runner.spec.name).length === 0;
}

const isDrainable = (runner: RunnerView): boolean => !runner.pinned && isServing(runner);

/** Who may be chosen: only who is idle; busy ones too, but last; or all as if each were idle, to see whom to wait for. */
export type Who = 'idle' | 'busy' | 'all';

function mayGo(runner: RunnerView, view: View, who: Who): boolean {
  if (who === 'all') return !runner.pinned && !isReturning(runner);
  return isExpendable(runner, view) || (who === 'busy' && isDrainable(runner));
}

/** What victims are looked for. */
export interface Hunt {
  readonly nowMs: number;
  readonly who: Who;
  /** How long the model loads that the room is for. */
  readonly otherSeconds: number;
  /** Not these: they go already. */
  readonly except?: readonly RunnerView[];
}

/** What can be short: memory on some devices together, in bytes, or the number of runners that there may be. */
export type Resource = Site | 'runners';

const freedOf = ({ reservation }: RunnerView, resource: Resource, { devices }: View): number =>
  resource === 'runners'
    ? 1
    : resource.reduce((sum, device) => sum + bytesOn(reservation, device, devices), 0);

interface Candidate {
  readonly runner: RunnerView;
  /** How much of what is short its going gives back. */
  readonly freed: number;
  readonly cost: number;
  readonly waitSeconds: number;
}

/**
 * The cheapest set of runners whose going gives back as much of a resource as is missing, or null. A runner that gives back nothing
 * of it is never in it.
 */
export function cheapestVictims(
  view: View,
  resource: Resource,
  missing: number,
  hunt: Hunt,
): VictimSet | null {
  const candidates: Candidate[] = [];
  for (const runner of view.runners.values()) {
    const freed = freedOf(runner, resource, view);
    if (freed <= 0 || hunt.except?.includes(runner) || !mayGo(runner, view, hunt.who)) continue;
    const waitSeconds = evictionCost(runner, view, hunt);
    candidates.push({ runner, freed, cost: waitSeconds, waitSeconds });
  }
  if (candidates.reduce((sum, { freed }) => sum + freed, 0) < missing) return null;
  const ranked = hunt.who === 'busy' ? busyLast(candidates) : candidates;
  return search(ranked.toSorted(byUsefulness), missing);
}

/** Leases have to end first, so a busy runner costs more than all that are idle together. */
function busyLast(candidates: readonly Candidate[]): readonly Candidate[] {
  const allSeconds = candidates.reduce((sum, { waitSeconds }) => sum + waitSeconds, 0) || 1;
  return candidates.map((candidate) => {
    const leases = candidate.runner.leases;
    return leases === 0
      ? candidate
      : { ...candidate, cost: candidate.cost + allSeconds * (1 + leases / 100) };
  });
}

/** Cheap by what it gives back first; equal ones: the least recently used, then by name and id, so that equal views give equal plans. */
function byUsefulness(a: Candidate, b: Candidate): number {
  return (
    a.cost / a.freed - b.cost / b.freed ||
    a.runner.lastUsedAtMs - b.runner.lastUsedAtMs ||
    (a.runner.spec.name < b.runner.spec.name ? -1 : a.runner.spec.name > b.runner.spec.name ? 1 : 0) ||
    (a.runner.id < b.runner.id ? -1 : 1)
  );
}

/** Branch and bound over "take it or leave it", best candidates first; the greedy set is the first bound. */
function search(candidates: readonly Candidate[], missing: number): VictimSet {
  let best = greedy(candidates, missing);
  let bestCost = costOf(best);
  const rest = new Float64Array(candidates.length + 1);
  for (let i = candidates.length - 1; i >= 0; i--) rest[i] = (rest[i + 1] ?? 0) + (candidates[i]?.freed ?? 0);
  let steps = 0;
  const taken: Candidate[] = [];
  const visit = (i: number, cost: number, freed: number): void => {
    if (freed >= missing) {
      if (cost < bestCost - 1e-9 || (cost < bestCost + 1e-9 && taken.length < best.length)) {
        best = [...taken];
        bestCost = cost;
      }
      return;
    }
    const candidate = candidates[i];
    if (!candidate || ++steps > MAX_STEPS) return;
    if (cost > bestCost || freed + (rest[i] ?? 0) < missing) return;
    taken.push(candidate);
    visit(i + 1, cost + candidate.cost, freed + candidate.freed);
    taken.pop();
    visit(i + 1, cost, freed);
  };
  visit(0, 0, 0);
  const waitSeconds = best.reduce((sum, candidate) => sum + candidate.waitSeconds, 0);
  return { runners: best.map(({ runner }) => runner), cost: bestCost, waitSeconds };
}

/** Takes until it suffices, then drops whatever turned out superfluous, the dearest first. */
function greedy(candidates: readonly Candidate[], missing: number): Candidate[] {
  const taken: Candidate[] = [];
  let freed = 0;
  for (const candidate of candidates) {
    if (freed >= missing) break;
    taken.push(candidate);
    freed += candidate.freed;
  }
  for (const candidate of taken.toSorted((a, b) => b.cost - a.cost)) {
    if (freed - candidate.freed < missing) continue;
    taken.splice(taken.indexOf(candidate), 1);
    freed -= candidate.freed;
  }
  return taken;
}

const costOf = (candidates: readonly Candidate[]): number =>
  candidates.reduce((sum, { cost }) => sum + cost, 0);
