import type { Failure } from '../failures.ts';
import type { ModelSpec } from '../vocabulary.ts';

const EWMA_WEIGHT = 0.3;
/** Failures further apart than this are separate stories. */
const FAILURE_WINDOW_MS = 60_000;
const FIRST_BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 60_000;

interface Record {
  reloadSeconds: number | null;
  failures: number;
  lastFailureMs: number;
  retryAtMs: number;
}

/** What loading each model has been like: how long it takes, and whether it keeps failing. */
export class History {
  readonly #models = new Map<string, Record>();

  /** Seconds that loading it again would cost; before the first load, the estimate. */
  reloadSecondsOf(spec: ModelSpec): number {
    return this.#models.get(spec.name)?.reloadSeconds ?? spec.loadEstimateMs / 1000;
  }

  retryAtMs(model: string): number {
    return this.#models.get(model)?.retryAtMs ?? 0;
  }

  noteLoaded(spec: ModelSpec, loadMs: number): void {
    const record = this.#of(spec.name);
    const seconds = loadMs / 1000;
    record.reloadSeconds =
      record.reloadSeconds === null
        ? seconds
        : record.reloadSeconds + EWMA_WEIGHT * (seconds - record.reloadSeconds);
  }

  /** A request was served to its end: earlier failures are forgotten. */
  noteServed(model: string): void {
    const record = this.#models.get(model);
    if (record) record.failures = 0;
  }

  /**
   * From the second failure in a row on, loads are spaced out: 1 s, 2 s, 4 s… A file that cannot be read costs nothing to
   * try again, so it is not held back.
   */
  noteFailure(model: string, failure: Failure, nowMs: number): void {
    const record = this.#of(model);
    if (nowMs - record.lastFailureMs > FAILURE_WINDOW_MS) record.failures = 0;
    record.lastFailureMs = nowMs;
    record.failures++;
    const isCheap = failure.code === 'model_file_missing' || failure.code === 'model_file_invalid';
    if (record.failures < 2 || isCheap || failure.code === 'stopped') return;
    record.retryAtMs = nowMs + Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (record.failures - 2));
  }

  /** What is known of it was of another file, or of other options. */
  forget(model: string): void {
    this.#models.delete(model);
  }

  #of(model: string): Record {
    let record = this.#models.get(model);
    if (!record) {
      record = { reloadSeconds: null, failures: 0, lastFailureMs: -Infinity, retryAtMs: 0 };
      this.#models.set(model, record);
    }
    return record;
  }
}
