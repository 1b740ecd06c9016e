/**
 * How soon a model is likely to be asked for again, learned from its *gaps*: how long nobody wanted it, from when it was last asked
 * for or its last answer ended until the next request. Immutable values; constants from studies in virtual time (docs/policy.md).
 */
const DECAY_PER_GAP = 0.995;
const PRIOR_WEIGHT = 4;
/** Weight of "never again". */
const SMOOTHING = 0.3;
/** Of a model of which nothing is known: the share of its load time that unloading it is expected to cost. */
const UNSEEN = 0.05;
/** A request counts as near up to so many times what a change of models takes. */
const NEAR = 6;

/**
 * Gaps are counted at knots half an octave apart, from 1/256 of a unit up. The unit is a load time, that of the first model whose gaps
 * are noted, and is kept: so the knots lie alike on quick and slow machines.
 */
const KNOTS = 52;
const FIRST_KNOT = 1 / 256;

/** Gaps between a model's requests, the older ones fading. */
export interface Demand {
  /** What the knots are measured by; null before the first gap. The same for all models. */
  readonly unitSeconds: number | null;
  /** Weight at each knot. */
  readonly gaps: readonly number[];
  /** Sum of the weights; of the mean over all models: how many of them it is made of. */
  readonly total: number;
  /** When the model was last asked for, or an answer of it ended. */
  readonly lastActiveMs: number | null;
}

export const emptyDemand: Demand = {
  unitSeconds: null,
  gaps: Array<number>(KNOTS).fill(0),
  total: 0,
  lastActiveMs: null,
};

/** A model's own demand, and the mean of all models' that it is part of. */
export interface OwnAndPooled {
  readonly own: Demand;
  readonly pooled: Demand;
}

/** A time at a place among the knots, in units. */
const unitsAt = (position: number): number => FIRST_KNOT * 2 ** (position / 2);
const KNOT_UNITS: readonly number[] = Array.from({ length: KNOTS }, (_, knot) => unitsAt(knot));

/** Where a time stands among the knots: the integer part is the knot before it, the fraction how far it is to the next. */
const positionOf = (units: number): number =>
  units <= FIRST_KNOT ? 0 : Math.min(KNOTS - 1, 2 * Math.log2(units / FIRST_KNOT));

/** Of a gap's weight, what falls to a knot: it is shared by the two knots that it lies between, so that nothing jumps. */
const shareOf = (position: number, knot: number): number => Math.max(0, 1 - Math.abs(position - knot));

/** A request for a model. */
export interface Arrival {
  readonly nowMs: number;
  /** Nobody waited for the model, and nobody was served by it. */
  readonly wasIdle: boolean;
  /** How long its loads take. */
  readonly loadSeconds: number;
}

/**
 * Notes a request. Those that come while others are waiting or served tell nothing of how long the model stays idle. Retries
 * and preloads must not be noted: nobody asks.
 */
export function noteArrival(
  own: Demand,
  pooled: Demand,
  { nowMs, wasIdle, loadSeconds }: Arrival,
): OwnAndPooled {
  if (own.lastActiveMs === null || !wasIdle) return { own: { ...own, lastActiveMs: nowMs }, pooled };
  const unitSeconds = pooled.unitSeconds ?? (loadSeconds || 1);
  const position = positionOf((nowMs - own.lastActiveMs) / 1000 / unitSeconds);
  const total = own.total * DECAY_PER_GAP + 1;
  const gaps = own.gaps.map((weight, knot) => weight * DECAY_PER_GAP + shareOf(position, knot));
  const after: Demand = { unitSeconds, gaps, total, lastActiveMs: nowMs };
  return { own: after, pooled: pooledWith(pooled, own, after) };
}

/** An answer of the model has ended. */
export const noteUse = (own: Demand, nowMs: number): Demand => ({ ...own, lastActiveMs: nowMs });

/** The mean is one of shares, not of counts: else the busiest model would speak for the rarest. */
function pooledWith(pooled: Demand, before: Demand, after: Demand): Demand {
  const isFirst = before.total === 0;
  const gaps = pooled.gaps.map((share, knot) => {
    const now = (after.gaps[knot] ?? 0) / after.total;
    return share + now - (isFirst ? 0 : (before.gaps[knot] ?? 0) / before.total);
  });
  return { ...pooled, unitSeconds: after.unitSeconds, gaps, total: pooled.total + (isFirst ? 1 : 0) };
}

/** The loads of a change of models, in seconds: of the one that would go, and of the one that comes. */
export interface Loads {
  readonly ownSeconds: number;
  readonly otherSeconds: number;
}

/**
 * How long a model's next request is expected to wait if it is unloaded now so that another can be loaded, in seconds. One that comes
 * before the other is there waits for the rest of that load and then for its own; a later one for its own alone, and the farther ahead
 * it is, the less it counts: half when it is NEAR times as far as both loads take.
 */
export function expectedWait(own: Demand, pooled: Demand, quietSeconds: number, loads: Loads): number {
  const { unitSeconds } = pooled;
  if (own.lastActiveMs === null || unitSeconds === null) return UNSEEN * loads.ownSeconds;
  const [ownLoad, otherLoad] = [loads.ownSeconds / unitSeconds, loads.otherSeconds / unitSeconds];
  const scale = NEAR * (ownLoad + otherLoad);
  const prior = pooled.total > 0 ? PRIOR_WEIGHT / pooled.total : 0;
  const quiet = quietSeconds / unitSeconds;
  const position = positionOf(quiet);
  let possible = SMOOTHING;
  let sum = 0;
  for (let knot = Math.floor(position + 0.5); knot < KNOTS; knot++) {
    // A knot stands for the times up to half way to its neighbours: of the one that the quiet has reached, what is left of it.
    const left = Math.min(1, knot + 0.5 - position);
    const weight = left * ((own.gaps[knot] ?? 0) + prior * (pooled.gaps[knot] ?? 0));
    if (weight <= 0) continue;
    const until = left < 1 ? (unitsAt(knot + 0.5) + quiet) / 2 : (KNOT_UNITS[knot] ?? 0);
    const ahead = Math.max(0, until - quiet);
    possible += weight;
    sum += weight * (ownLoad * nearness(ahead, scale) + Math.max(0, otherLoad - ahead));
  }
  return (sum / possible) * unitSeconds;
}

const nearness = (ahead: number, scale: number): number => scale / (scale + ahead);

/**
 * How close together (0…1) a model's own requests come beside a time: a half where the gaps are NEAR times as long. Of a model that has
 * hardly been seen it is small: what is not known does not count.
 */
export function closeness({ unitSeconds, gaps, total }: Demand, seconds: number): number {
  if (unitSeconds === null) return 0;
  const scale = NEAR * (seconds / unitSeconds);
  let sum = 0;
  for (const [knot, weight] of gaps.entries())
    if (weight > 0) sum += weight * nearness(KNOT_UNITS[knot] ?? 0, scale);
  return sum / (total + PRIOR_WEIGHT);
}

/** The gaps of one model as they are kept across restarts: weights by length in seconds. */
export type SavedGaps = readonly (readonly [seconds: number, weight: number])[];

export const saveGaps = ({ unitSeconds, gaps }: Demand): SavedGaps =>
  gaps.flatMap((weight, knot) =>
    weight > 0 && unitSeconds !== null
      ? [[rounded(unitSeconds * (KNOT_UNITS[knot] ?? 0)), rounded(weight)] as const]
      : [],
  );

const rounded = (value: number): number => Number(value.toPrecision(6));

/** What was learned before a restart; the time that has passed since the last request is not known, and no gap. */
export function restoreGaps(saved: SavedGaps, pooled: Demand): OwnAndPooled {
  const total = saved.reduce((sum, [, weight]) => sum + weight, 0);
  if (total === 0) return { own: emptyDemand, pooled };
  // No load has been seen yet: with this one the knots lie between 4 ms and two days.
  const unitSeconds = pooled.unitSeconds ?? 1;
  const gaps = [...emptyDemand.gaps];
  for (const [seconds, weight] of saved) {
    const position = positionOf(seconds / unitSeconds);
    for (const knot of [Math.floor(position), Math.floor(position) + 1])
      if (knot < KNOTS) gaps[knot] = (gaps[knot] ?? 0) + weight * shareOf(position, knot);
  }
  const own: Demand = { unitSeconds, gaps, total, lastActiveMs: null };
  return { own, pooled: pooledWith(pooled, emptyDemand, own) };
}

/** Gaps as an earlier version saved them: in bins half an octave wide, the first of them all below 250 ms. */
export const gapsFromBins = (bins: readonly number[]): SavedGaps =>
  bins.map((weight, bin) => [bin === 0 ? 0.125 : 0.25 * 2 ** ((bin - 0.5) / 2), weight] as const);
