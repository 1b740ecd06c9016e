import type { Endpoint } from '../../machines/vocabulary.ts';
import { askRunner } from './ask-runner.ts';

/** One of a process's slots, as llama-server's `GET /slots` tells it; newer releases have a list in `next_token`. */
export interface Slot {
  readonly id: number;
  readonly is_processing: boolean;
  readonly n_prompt_tokens_processed?: number;
  readonly next_token?: readonly { n_decoded?: number }[] | { n_decoded?: number };
}

/** What a process's slots do. None when it does not answer so in time; rejects only when it was stopped. */
export async function readSlots(
  endpoint: Endpoint,
  withinMs: number,
  signal: AbortSignal,
): Promise<readonly Slot[]> {
  try {
    const question = {
      path: '/slots',
      withKey: true,
      signal: AbortSignal.any([signal, AbortSignal.timeout(withinMs)]),
    };
    return await askRunner(endpoint, question, async ({ statusCode, body }) => {
      const slots: unknown = await body.json();
      return statusCode === 200 && Array.isArray(slots) ? (slots as Slot[]) : [];
    });
  } catch (error) {
    if (signal.aborted) throw error;
    return [];
  }
}
