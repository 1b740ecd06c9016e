/**
 * How soon a model is likely to be asked for again, learned from the gaps between its requests.
 * Constants from a virtual-time study on seven request traces (docs/policy.md).
 */
const BINS = 40;
/** Upper edge of the first bin; each further bin is half an octave wide. */
const FIRST_EDGE_SECONDS = 0.25;
const DECAY_PER_ARRIVAL = 0.995;
const PRIOR_WEIGHT = 4;
const SMOOTHING = 0.3;
/** For a model of which nothing is known: the chance of a request within any horizon. */
const UNSEEN = 0.05;

/** Gaps between requests, in half-octave bins, the older ones fading. */
export interface Demand {
  readonly gaps: Float64Array;
  readonly total: number;
  readonly lastArrivalMs: number | null;
}

export const emptyDemand = (): Demand => ({ gaps: new Float64Array(BINS), total: 0, lastArrivalMs: null });

/** Position on the bin axis: the integer part is the bin, the fraction how far inside it. */
function binPosition(seconds: number): number {
  if (seconds < FIRST_EDGE_SECONDS) return Math.max(0, seconds / FIRST_EDGE_SECONDS);
  return Math.min(BINS - 1e-9, 1 + 2 * Math.log2(seconds / FIRST_EDGE_SECONDS));
}

/** Notes a request; retries and preloads must not be noted, since they say nothing of demand. */
export function noteArrival(own: Demand, pooled: Demand, nowMs: number): { own: Demand; pooled: Demand } {
  if (own.lastArrivalMs === null) return { own: { ...own, lastArrivalMs: nowMs }, pooled };
  const bin = Math.floor(binPosition((nowMs - own.lastArrivalMs) / 1000));
  const isFirst = own.total === 0;
  const total = own.total * DECAY_PER_ARRIVAL + 1;
  const gaps = own.gaps.map((before, i) => before * DECAY_PER_ARRIVAL + (i === bin ? 1 : 0));
  const shares = pooled.gaps.map(
    (share, i) => share + (gaps[i] ?? 0) / total - (isFirst ? 0 : (own.gaps[i] ?? 0) / own.total),
  );
  return {
    own: { gaps, total, lastArrivalMs: nowMs },
    pooled: { ...pooled, gaps: shares, total: pooled.total + (isFirst ? 1 : 0) },
  };
}

/** Weight of the gaps longer than `seconds`, linear inside a bin. */
function beyond(demand: Demand, seconds: number): number {
  const position = binPosition(seconds);
  const bin = Math.floor(position);
  let sum = (demand.gaps[bin] ?? 0) * (1 - (position - bin));
  for (let i = bin + 1; i < BINS; i++) sum += demand.gaps[i] ?? 0;
  return sum;
}

function survival(own: Demand, pooled: Demand, seconds: number): number {
  const share = pooled.total > 0 ? beyond(pooled, seconds) / pooled.total : 0;
  return (beyond(own, seconds) + PRIOR_WEIGHT * share + SMOOTHING) / (own.total + PRIOR_WEIGHT + SMOOTHING);
}

/** Chance (0…1) that the model is asked for within the next `horizonsSeconds`, given that it is quiet since its last request. */
export function chanceWithin(own: Demand, pooled: Demand, nowMs: number, horizonSeconds: number): number {
  if (own.lastArrivalMs === null || own.total + pooled.total === 0) return UNSEEN;
  const quietSeconds = Math.max(0, (nowMs - own.lastArrivalMs) / 1000);
  const alive = survival(own, pooled, quietSeconds);
  return alive <= 0 ? 0 : 1 - survival(own, pooled, quietSeconds + horizonSeconds) / alive;
}

/**
 * The share (0…1) of a model's own gaps that were at most so long. Of a model that has hardly been seen it is small: what is not
 * known does not count.
 */
export const shareWithin = (own: Demand, seconds: number): number =>
  (own.total - beyond(own, seconds)) / (own.total + PRIOR_WEIGHT);

/** The gaps of one model as they are kept across restarts: weights by bin, without the empty ones at the end. */
export type SavedDemand = readonly number[];

export function saveDemand({ gaps }: Demand): SavedDemand {
  const weights = Array.from(gaps, (weight) => Math.round(weight * 1000) / 1000);
  return weights.slice(0, weights.findLastIndex((weight) => weight > 0) + 1);
}

/** What was learned before a restart; the time that has passed since the last request is not known, and no gap. */
export function restoreDemand(saved: SavedDemand, pooled: Demand): { own: Demand; pooled: Demand } {
  const gaps = Float64Array.from({ length: BINS }, (_, i) => saved[i] ?? 0);
  const total = gaps.reduce((sum, weight) => sum + weight, 0);
  const own = { gaps, total, lastArrivalMs: null };
  if (total === 0) return { own, pooled };
  const shares = pooled.gaps.map((share, i) => share + (gaps[i] ?? 0) / total);
  return { own, pooled: { ...pooled, gaps: shares, total: pooled.total + 1 } };
}

export const noDemand = emptyDemand();
