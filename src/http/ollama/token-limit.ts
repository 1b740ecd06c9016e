import { batchTokensFor } from '../../../machines/planning/batch.ts';
import { readArguments } from '../../../machines/planning/server-options.ts';
import type { LaunchOptions } from '../../../machines/vocabulary.ts';

/** The embedded runner's library adds marks to a text that has none. */
const MARKS = 2;

/** How many tokens of one text an embedding model reads: all of them at once, so that a batch has to hold them too. */
export function tokenLimitOf(launch: LaunchOptions, trainedContextTokens: number | null): number {
  const { contextTokens, runtime } = launch;
  // Another program says itself what is too long for it.
  if (runtime === 'command') return Number.MAX_SAFE_INTEGER;
  const trained = trainedContextTokens ?? Infinity;
  if (runtime === 'embedded') return Math.min(contextTokens, trained, batchTokensFor(launch)) - MARKS;
  const { options } = readArguments(launch.extraArgs);
  const { totalContextTokens: total = 0, slots = launch.slots, microBatchTokens, batchTokens } = options;
  const context = total > 0 ? Math.floor(total / slots) : contextTokens;
  return Math.min(context, trained, microBatchTokens ?? batchTokensFor(launch), batchTokens ?? Infinity);
}
