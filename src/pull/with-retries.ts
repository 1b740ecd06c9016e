import { HubError, isPassing } from './hub-error.ts';

const MOST_ATTEMPTS = 6;
const FIRST_WAIT_MS = 1_000;
/** Who is asked to wait longer is told so, and comes back himself. */
const LONGEST_WAIT_MS = 300_000;

export interface Patience {
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly signal: AbortSignal;
  readonly onNote: (note: string) => void;
}

/**
 * Tries again after what may pass, each time after a longer wait or the one that the hub asks for, until several attempts in a
 * row have brought nothing. `progress` is any number that grows when an attempt brings something.
 */
export async function withRetries<T>(
  attempt: () => Promise<T>,
  { sleep, signal, onNote }: Patience,
  progress: () => number = () => 0,
): Promise<T> {
  let reached = progress();
  for (let failures = 1; ; failures++) {
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      if (!isPassing(error)) throw error;
      if (progress() > reached) failures = 1;
      // A start from the beginning brings nothing until it is further than the one before.
      reached = Math.max(reached, progress());
      const asked = error instanceof HubError ? error.retryAfterMs : null;
      const waitMs = asked ?? FIRST_WAIT_MS * 2 ** (failures - 1);
      const reason = error instanceof Error ? error.message : String(error);
      if (waitMs > LONGEST_WAIT_MS)
        throw new HubError(`${reason} It asks to come back in ${Math.ceil(waitMs / 60_000)} minutes.`);
      if (failures === MOST_ATTEMPTS) throw error;
      onNote(`${reason} Trying again in ${Math.ceil(waitMs / 1_000)} s.`);
      await sleep(waitMs, signal);
    }
  }
}
