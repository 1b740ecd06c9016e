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

/** Gaps are counted at knots half an octave apart, the first at 4 ms, the last at two days. */
const KNOTS = 52;
const FIRST_KNOT_SECONDS = 1 / 256;

/** Gaps between a model's requests, the older ones fading. */
export interface Demand {
  /** Weight at each knot. */
  readonly gaps: readonly number[];
  /** Sum of the weights; of the mean over all models: how many of them it is made of. */
  readonly total: number;
  /** When the model was last asked for, or an answer of it ended. */
  readonly lastActiveMs: number | null;
}

export const emptyDemand: Demand = { gaps: Array<number>(KNOTS).fill(0), total: 0, lastActiveMs: null };

/** A model's own demand, and the mean of all models' that it is part of. */
export interface OwnAndPooled {
  readonly own: Demand;
  readonly pooled: Demand;
}

const secondsAt = (position: number): number => FIRST_KNOT_SECONDS * 2 ** (position / 2);

const KNOT_SECONDS: readonly number[] = Array.from({ length: KNOTS }, (_, i) => secondsAt(i));

/** Where a time stands among the knots: the integer part is the knot before it, the fraction how far it is to the next. */
const positionOf = (seconds: number): number =>
  seconds <= FIRST_KNOT_SECONDS ? 0 : Math.min(KNOTS - 1, 2 * Math.log2(seconds / FIRST_KNOT_SECONDS));

/** Of an old gap's weight, what falls to a knot: it is shared by the two knots that it lies between, so nothing jumps. */
const shareOf = (position: number, knot: number): number => Math.max(0, 1 - Math.abs(position - knot));

/**
 * Notes a request. Those that come while others are waiting or served tell nothing of how long the model stays idle, so `wasIdle`
 * says whether it was. Retries and preloads must not be noted: nobody asks.
 */
export function noteArrival(own: Demand, pooled: Demand, nowMs: number, wasIdle: boolean): OwnAndPooled {
  if (own.lastActiveMs === null || !wasIdle) return { own: { ...own, lastActiveMs: nowMs }, pooled };
  const position = positionOf((nowMs - own.lastActiveMs) / 1000);
  const total = own.total * DECAY_PER_GAP + 1;
  const gaps = own.gaps.map((weight, knot) => weight * DECAY_PER_GAP + shareOf(position, knot));
  const after: Demand = { gaps, total, lastActiveMs: nowMs };
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
  return { ...pooled, gaps, total: pooled.total + (isFirst ? 1 : 0) };
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
  const { ownSeconds, otherSeconds } = loads;
  if (own.lastActiveMs === null || own.total + pooled.total === 0) return UNSEEN * ownSeconds;
  const scale = NEAR * (ownSeconds + otherSeconds);
  const prior = pooled.total > 0 ? PRIOR_WEIGHT / pooled.total : 0;
  const quiet = positionOf(quietSeconds);
  let possible = SMOOTHING;
  let sum = 0;
  for (let knot = Math.floor(quiet + 0.5); knot < KNOTS; knot++) {
    // A knot stands for the times up to half way to its neighbours: of the one that the quiet has reached, what is left of it.
    const left = Math.min(1, knot + 0.5 - quiet);
    const weight = left * ((own.gaps[knot] ?? 0) + prior * (pooled.gaps[knot] ?? 0));
    if (weight <= 0) continue;
    const until = left < 1 ? (secondsAt(knot + 0.5) + quietSeconds) / 2 : (KNOT_SECONDS[knot] ?? 0);
    const ahead = Math.max(0, until - quietSeconds);
    possible += weight;
    sum += weight * (ownSeconds * nearness(ahead, scale) + Math.max(0, otherSeconds - ahead));
  }
  return sum / possible;
}

const nearness = (seconds: number, scale: number): number => scale / (scale + seconds);

/**
 * How close together (0…1) a model's own requests come beside a time: a half where the gaps are NEAR times as long. Of a model that has
 * hardly been seen it is small: what is not known does not count.
 */
export function closeness(own: Demand, seconds: number): number {
  const scale = NEAR * seconds;
  const sum = own.gaps.reduce(
    (near, weight, knot) => (weight > 0 ? near + weight * nearness(KNOT_SECONDS[knot] ?? 0, scale) : near),
    0,
  );
  return sum / (own.total + PRIOR_WEIGHT);
}

/** The gaps of one model as they are kept across restarts: weights by knot, without the empty ones at the end. */
export type SavedGaps = readonly number[];

export function saveGaps({ gaps }: Demand): SavedGaps {
  const weights = gaps.map((weight) => Math.round(weight * 1000) / 1000);
  return weights.slice(0, weights.findLastIndex((weight) => weight > 0) + 1);
}

/** What was learned before a restart; the time that has passed since the last request is not known, and no gap. */
export function restoreGaps(saved: SavedGaps, pooled: Demand): OwnAndPooled {
  const gaps = emptyDemand.gaps.map((_, knot) => saved[knot] ?? 0);
  const own: Demand = { gaps, total: gaps.reduce((sum, weight) => sum + weight, 0), lastActiveMs: null };
  return { own, pooled: own.total === 0 ? pooled : pooledWith(pooled, emptyDemand, own) };
}

/** Which knot the first edge of the layout before this one (bins from 250 ms on) is. */
const OLD_EDGE = 12;

/** Gaps that were saved in bins of half an octave, the first of them all below 250 ms: each goes to the knots at its two edges. */
export function gapsFromBins(bins: readonly number[]): SavedGaps {
  const gaps = Array<number>(KNOTS).fill(0);
  bins.forEach((weight, bin) => {
    for (const edge of bin === 0 ? [0, 0] : [bin - 1, bin]) {
      const knot = Math.min(KNOTS - 1, OLD_EDGE + edge);
      gaps[knot] = (gaps[knot] ?? 0) + weight / 2;
    }
  });
  return gaps;
}
