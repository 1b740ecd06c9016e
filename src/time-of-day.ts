import { performance } from 'node:perf_hooks';

/** The last moment that a `Date` can name. */
const LAST_MS = 8.64e15;
/** The two clocks drift by less than this between two looks at them; by more, somebody has set one, or the machine has slept. */
const DRIFT_MS = 1_000;

let originMs = performance.timeOrigin;

/**
 * The time of day, in ms, of a machine's time, which counts ms from the start of the program and knows of no clock that is set.
 * Right from now on after the clock was set or the machine has slept; the same answer each time in between.
 */
export function timeOfDay(atMs: number): number {
  const nowOriginMs = Date.now() - performance.now();
  if (Math.abs(nowOriginMs - originMs) > DRIFT_MS) originMs = nowOriginMs;
  return Math.min(originMs + atMs, LAST_MS);
}

/** The same as people and programs write it. */
export const momentOf = (atMs: number): string => new Date(timeOfDay(atMs)).toISOString();
