import { fromCallback } from 'xstate';
import type { Effects, HealthEvent, ReadySpec } from '../../machines/effects.ts';
import { isHealthy, pause } from './await-ready.ts';
import { readSlots, type Slot } from './read-slots.ts';

export interface HealthOptions {
  readonly everyMs: number;
  readonly answerWithinMs: number;
  /** Unanswered questions in a row that mean that nobody is there. */
  readonly failures: number;
  /** A slot that works for this long without getting on is stuck. */
  readonly stuckMs: number;
}

export const defaultHealth: HealthOptions = {
  everyMs: 5_000,
  answerWithinMs: 5_000,
  failures: 3,
  stuckMs: 600_000,
};

/** Watches a ready process: one `health.lost` when it stops answering, or when it answers and no longer works. */
export const createWatchHealth = (options: HealthOptions = defaultHealth): Effects['watchHealth'] =>
  fromCallback<{ type: 'none' }, ReadySpec>(({ input, sendBack }) => {
    const stop = new AbortController();
    watch(input, options, stop.signal).then(
      (message) => sendBack({ type: 'health.lost', message } satisfies HealthEvent),
      () => {}, // only ever rejects because it was stopped
    );
    return () => stop.abort();
  });

async function watch(spec: ReadySpec, options: HealthOptions, signal: AbortSignal): Promise<string> {
  let failures = 0;
  const work = new WorkWatch(options.stuckMs);
  // So long after a look it has had the time to fall asleep.
  const lookEveryMs = spec.sleepAfterMs === undefined ? 0 : spec.sleepAfterMs + options.everyMs;
  let lookedAtMs = -Infinity;
  for (;;) {
    await pause(options.everyMs, signal);
    if (await isHealthy(spec.endpoint, signal, options.answerWithinMs)) failures = 0;
    else if (++failures >= options.failures)
      return `no answer to ${failures} health checks of ${options.answerWithinMs / 1000} s`;
    // The slots of another program are its own business.
    if (spec.endpoint.health) continue;
    if (failures > 0 || performance.now() - lookedAtMs < lookEveryMs) continue;
    const slots = await readSlots(spec.endpoint, options.answerWithinMs, signal);
    // One that sleeps tells of none, and was not disturbed.
    if (slots.length > 0) lookedAtMs = performance.now();
    if (work.isStuck(slots)) return `a slot has not got on for ${options.stuckMs / 1000} s`;
  }
}

/** Tells a long generation, which gets on token by token, from one that hangs. */
class WorkWatch {
  readonly #stuckMs: number;
  readonly #seen = new Map<number, { mark: string; sinceMs: number }>();

  constructor(stuckMs: number) {
    this.#stuckMs = stuckMs;
  }

  isStuck(slots: readonly Slot[]): boolean {
    const nowMs = performance.now();
    let isStuck = false;
    for (const slot of slots) {
      const mark = slot.is_processing
        ? JSON.stringify([slot.n_prompt_tokens_processed, slot.next_token])
        : 'idle';
      const seen = this.#seen.get(slot.id);
      if (seen?.mark !== mark || mark === 'idle') this.#seen.set(slot.id, { mark, sinceMs: nowMs });
      else if (nowMs - seen.sinceMs >= this.#stuckMs) isStuck = true;
    }
    return isStuck;
  }
}
