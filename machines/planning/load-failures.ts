import type { Failure } from '../failures.ts';

/** Failures further apart than this are separate stories. */
const FAILURE_WINDOW_MS = 60_000;
const FIRST_BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 60_000;

/** With less to wait than this, a request waits; with more it is told to come again. */
const LONGEST_WAIT_MS = 10_000;

/** Whether loads of a model keep failing, and when the next try is due. */
export interface LoadFailures {
  readonly count: number;
  readonly last: Failure | null;
  readonly lastMs: number;
  /** No load of it before. */
  readonly retryAtMs: number;
  /** It has loaded since the last one: that is not why it is not there. */
  readonly isPast: boolean;
}

export const noFailures: LoadFailures = {
  count: 0,
  last: null,
  lastMs: -Infinity,
  retryAtMs: 0,
  isPast: false,
};

/** From the second failure in a row on, loads are spaced out: 1 s, 2 s, 4 s…, a minute at most. */
export function afterFailure(before: LoadFailures, last: Failure, nowMs: number): LoadFailures {
  const isNew = nowMs - Math.max(before.lastMs, before.retryAtMs) > FAILURE_WINDOW_MS;
  const count = (isNew ? 0 : before.count) + 1;
  const failed = { ...before, count, last, lastMs: nowMs, isPast: false };
  // A missing file costs nothing to look for again, and may be there the next time.
  const isCheap = last.code === 'model_file_missing';
  if (count < 2 || isCheap || last.code === 'stopped') return failed;
  const pauseMs = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (count - 2));
  return { ...failed, retryAtMs: nowMs + pauseMs };
}

/** Somebody wanted these ends. */
const WANTED: ReadonlySet<Failure['code']> = new Set(['stopped', 'shutting_down']);

/** Why a model that has no process failed the last time; null where it did not, or has loaded since. */
export const lastFailure = ({ last, isPast }: LoadFailures): Failure | null =>
  last === null || isPast || WANTED.has(last.code) ? null : last;

/** What a request is told that would have to wait long for the next try to load its model; null where it would not. */
export function comeAgain(model: string, failures: LoadFailures, nowMs: number): Failure | null {
  const { count, last, retryAtMs } = failures;
  const leftMs = retryAtMs - nowMs;
  if (last === null || leftMs <= LONGEST_WAIT_MS) return null;
  const retryAfterSeconds = Math.ceil(leftMs / 1000);
  return {
    ...last,
    message: `${model} has failed ${count} times in a row and is tried again in ${retryAfterSeconds} s. The last time: ${last.message}`,
    retryAfterSeconds,
  };
}
