import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fromPromise } from 'xstate';
import type { ConversationsSpec, Effects } from '../../machines/effects.ts';
import { isWorthKeeping } from '../../machines/planning/conversations.ts';
import type { Endpoint } from '../../machines/vocabulary.ts';
import { askRunner } from '../process/ask-runner.ts';
import { readSlots } from '../process/read-slots.ts';
import { draftOf, type ConversationFolder } from './conversation-folder.ts';

const ANSWER_WITHIN_MS = 1_000;
/** Until files have been written: those of the last unloads are in main memory, or on a disk that is no slower than that. */
const FIRST_BYTES_PER_MS = 1e6;
/** Weight of the newest file in the moving average. */
const SPEED_WEIGHT = 0.3;

/** What became of a slot's conversation, for the log. */
export interface ConversationNote {
  readonly what: 'kept' | 'restored' | 'not restored' | 'not kept';
  readonly model: string;
  readonly runnerId: string;
  readonly slot: number;
  readonly tokens: number;
  readonly bytes: number;
  readonly reason?: string;
}

type Note = (note: ConversationNote) => void;

/** Answers of llama-server's `POST /slots/N?action=save` and `restore`. */
interface Saved {
  readonly n_saved?: number;
  readonly n_written?: number;
  readonly timings?: { readonly save_ms?: number };
}
interface Restored {
  readonly n_restored?: number;
  readonly n_read?: number;
}

/**
 * Keeps the conversations of processes that end, and gives them back to processes that begin. Nothing here can fail a load or keep an
 * unload: what does not work is noted, and the conversation is computed anew as it would have been.
 */
export function createConversations(
  folder: ConversationFolder,
  note: Note,
): Pick<Effects, 'saveConversations' | 'restoreConversations'> {
  let diskBytesPerMs = FIRST_BYTES_PER_MS;
  const keepOne = async (one: OneSlot): Promise<void> => {
    const { spec, place, slot } = one;
    const draft = draftOf(slot, spec.runnerId);
    const saved = await tell<Saved>(one, 'save', draft);
    const { n_saved: tokens = 0, n_written: bytes = 0, timings } = saved;
    const written = await stat(join(place, draft));
    // A full disk may have cut it.
    if (tokens === 0 || written.size !== bytes) throw new Error('it was not written in full');
    await folder.keep(place, spec.runnerId, slot, draft);
    if (timings?.save_ms)
      diskBytesPerMs += SPEED_WEIGHT * (bytes / Math.max(1, timings.save_ms) - diskBytesPerMs);
    note({ ...whose(spec), what: 'kept', slot, tokens, bytes });
  };
  return {
    saveConversations: fromPromise<void, ConversationsSpec>(async ({ input: spec, signal }) => {
      const { endpoint, launch, modelName } = spec;
      const place = await folder.placeOf(modelName, launch);
      const within = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_WITHIN_MS)]);
      const prefillMsPerToken = await prefillSpeed(endpoint, within);
      const slots = await readSlots(endpoint, ANSWER_WITHIN_MS, signal);
      const bytesPerToken = launch.conversations?.bytesPerToken ?? Infinity;
      // The longest first: there may not be time for all.
      const used = slots.flatMap(({ id, is_processing: works, n_prompt_tokens: tokens = 0 }) =>
        works ? [] : { id, tokens },
      );
      for (const { id: slot, tokens } of used.toSorted((a, b) => b.tokens - a.tokens)) {
        if (!isWorthKeeping({ tokens, bytesPerToken, prefillMsPerToken, diskBytesPerMs })) continue;
        await keepOne({ spec, place, slot, signal }).catch(async (error: unknown) => {
          await rm(join(place, draftOf(slot, spec.runnerId)), { force: true });
          note({ ...whose(spec), what: 'not kept', slot, tokens, bytes: 0, reason: textOf(error) });
        });
      }
      folder.release(spec.runnerId);
      await folder.tidy();
    }),
    restoreConversations: fromPromise<void, ConversationsSpec>(async ({ input: spec, signal }) => {
      const { launch, modelName } = spec;
      const place = await folder.placeOf(modelName, launch);
      for (const { file, slot } of await folder.chooseFor(place, spec.runnerId, launch.slots)) {
        const { bytes } = file;
        // Somebody else reads it, or it has gone.
        const name = await folder.beginReading(file).catch(() => null);
        if (name === null) continue;
        try {
          const restored = await tell<Restored>({ spec, place, slot, signal }, 'restore', name);
          await folder.endReading(file);
          note({ ...whose(spec), what: 'restored', slot, tokens: restored.n_restored ?? 0, bytes });
        } catch (error) {
          if (signal.aborted) throw error;
          await folder.discard(file);
          note({ ...whose(spec), what: 'not restored', slot, tokens: 0, bytes, reason: textOf(error) });
        }
      }
    }),
  };
}

interface OneSlot {
  readonly spec: ConversationsSpec;
  readonly place: string;
  readonly slot: number;
  readonly signal: AbortSignal;
}

const whose = ({ modelName: model, runnerId }: ConversationsSpec): { model: string; runnerId: string } => ({
  model,
  runnerId,
});

async function tell<Answer>(
  { spec, slot, signal }: OneSlot,
  action: 'save' | 'restore',
  filename: string,
): Promise<Answer> {
  const question = {
    method: 'POST' as const,
    path: `/slots/${slot}?action=${action}`,
    body: JSON.stringify({ filename }),
    withKey: true,
    signal,
  };
  return askRunner(spec.endpoint, question, async ({ statusCode, body }) => {
    const text = await body.text();
    if (statusCode !== 200) throw new Error(`llama-server says ${statusCode}: ${text.slice(0, 200)}`);
    return JSON.parse(text) as Answer;
  });
}

/** How long one token of a prompt has taken on average, in ms; null when none was computed, or that is not told. */
async function prefillSpeed(endpoint: Endpoint, signal: AbortSignal): Promise<number | null> {
  try {
    const text = await askRunner(endpoint, { path: '/metrics', withKey: true, signal }, ({ body }) =>
      body.text(),
    );
    const value = (name: string): number =>
      Number(new RegExp(`^llamacpp:${name} ([\\d.e+]+)$`, 'm').exec(text)?.[1] ?? NaN);
    const msPerToken = (1000 * value('prompt_seconds_total')) / value('prompt_tokens_total');
    return Number.isFinite(msPerToken) ? msPerToken : null;
  } catch {
    return null;
  }
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
