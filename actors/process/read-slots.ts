import type { Endpoint } from '../../machines/vocabulary.ts';
import { askRunner } from './ask-runner.ts';

/** One of a process's slots, as llama-server's `GET /slots` tells it; newer releases have a list in `next_token`. */
export interface Slot {
  readonly id: number;
  /** Of the task that it works on, or worked on last. */
  readonly id_task?: number;
  readonly is_processing: boolean;
  /** In its cache, of the task that it works on, or worked on last; absent before the first. */
  readonly n_prompt_tokens?: number;
  readonly n_prompt_tokens_processed?: number;
  readonly next_token?: readonly { n_decoded?: number }[] | { n_decoded?: number };
}

/** No answer in time is no knowledge; an answer without slots is for good. */
export type SlotLook = readonly Slot[] | 'no-answer' | 'not-told';

/**
 * Looks at what a process's slots do, and does not wake a llama-server that sleeps: then none of them works. Rejects only
 * when it was stopped.
 */
export async function lookAtSlots(
  endpoint: Endpoint,
  withinMs: number,
  signal: AbortSignal,
): Promise<SlotLook> {
  if (endpoint.health) return 'not-told';
  const within = AbortSignal.any([signal, AbortSignal.timeout(withinMs)]);
  try {
    const props = await ask(endpoint, '/props', within);
    if (isAsleep(props.json)) return [];
    const { status, json } = await ask(endpoint, '/slots', within);
    if (status === 200 && Array.isArray(json)) return json as Slot[];
    return status < 500 || status === 501 ? 'not-told' : 'no-answer';
  } catch (error) {
    if (signal.aborted) throw error;
    return 'no-answer';
  }
}

/** What a process's slots do. None when it does not answer so in time; rejects only when it was stopped. */
export async function readSlots(
  endpoint: Endpoint,
  withinMs: number,
  signal: AbortSignal,
): Promise<readonly Slot[]> {
  const look = await lookAtSlots(endpoint, withinMs, signal);
  return typeof look === 'string' ? [] : look;
}

const ask = (
  endpoint: Endpoint,
  path: string,
  signal: AbortSignal,
): Promise<{ readonly status: number; readonly json: unknown }> =>
  askRunner(endpoint, { path, withKey: true, signal }, async ({ statusCode, body }) => ({
    status: statusCode,
    json: parsed(await body.text()),
  }));

const isAsleep = (props: unknown): boolean =>
  typeof props === 'object' && props !== null && 'is_sleeping' in props && props.is_sleeping === true;

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
};
