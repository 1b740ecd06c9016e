import type { ClassQueue } from './view.ts';

/** Weight of the newest load, and of the newest answer, in their moving averages. */
const LOAD_WEIGHT = 0.3;
const ANSWER_WEIGHT = 0.1;

/** What a model's loads and answers have been like: moving averages, null before the first. */
export interface History {
  /** How long its loads take. */
  readonly reloadSeconds: number | null;
  /** How many requests have waited for its loads, those that came in the middle of one in part. */
  readonly crowd: number | null;
  /** How long its answers take. */
  readonly serviceSeconds: number | null;
}

export const emptyHistory: History = { reloadSeconds: null, crowd: null, serviceSeconds: null };

/** A load is complete. `crowd` is `crowdAtLoad` at this moment. */
export const noteLoaded = (history: History, loadMs: number, crowd: number): History => ({
  ...history,
  reloadSeconds: moved(history.reloadSeconds, loadMs / 1000, LOAD_WEIGHT),
  crowd: moved(history.crowd, crowd, LOAD_WEIGHT),
});

/** A request was served to its end, so long after it got its runner. */
export const noteServed = (history: History, answerMs: number): History => ({
  ...history,
  serviceSeconds: moved(history.serviceSeconds, answerMs / 1000, ANSWER_WEIGHT),
});

const moved = (average: number | null, newest: number, weight: number): number =>
  average === null ? newest : average + weight * (newest - average);

/** How many requests wait for a load that is complete now: the sum of the shares of it that each has waited. */
export function crowdAtLoad(queues: readonly ClassQueue[], loadMs: number, nowMs: number): number {
  if (loadMs <= 0) return 1;
  let waitedMs = 0;
  for (const { arrivals } of queues)
    for (const { arrivedAtMs } of arrivals) waitedMs += Math.min(loadMs, nowMs - arrivedAtMs);
  return waitedMs / loadMs;
}
