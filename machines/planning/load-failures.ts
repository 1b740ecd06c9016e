import type { Failure } from '../failures.ts';

/** Failures further apart than this are separate stories. */
const FAILURE_WINDOW_MS = 60_000;
const FIRST_BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 60_000;

/** Whether loads of a model keep failing, and when the next try is due. */
export interface LoadFailures {
  readonly count: number;
  readonly lastMs: number;
  /** No load of it before. */
  readonly retryAtMs: number;
}

export const noFailures: LoadFailures = { count: 0, lastMs: -Infinity, retryAtMs: 0 };

/** From the second failure in a row on, loads are spaced out: 1 s, 2 s, 4 s…, a minute at most. */
export function afterFailure(before: LoadFailures, { code }: Failure, nowMs: number): LoadFailures {
  const isNew = nowMs - before.lastMs > FAILURE_WINDOW_MS;
  const count = (isNew ? 0 : before.count) + 1;
  // A missing file costs nothing to look for again, and may be there the next time.
  const isCheap = code === 'model_file_missing';
  if (count < 2 || isCheap || code === 'stopped') return { ...before, count, lastMs: nowMs };
  const pauseMs = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (count - 2));
  return { count, lastMs: nowMs, retryAtMs: nowMs + pauseMs };
}
