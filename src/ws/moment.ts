import { performance } from 'node:perf_hooks';

/** The last moment that a `Date` can name. */
const LAST_MS = 8.64e15;

/** The time of day of a machine's time, which counts ms from the start of the program. */
export const momentOf = (atMs: number): string =>
  new Date(Math.min(performance.timeOrigin + atMs, LAST_MS)).toISOString();
