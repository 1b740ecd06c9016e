import { batchTokensFor } from '../../../machines/planning/batch.ts';
import type { LaunchOptions } from '../../../machines/vocabulary.ts';
import { argumentOf } from '../../argument-of.ts';

/** The embedded runner's library adds marks to a text that has none. */
const MARKS = 2;

/** How many tokens of one text an embedding model reads: all of them at once, so that a batch has to hold them too. */
export function tokenLimitOf(launch: LaunchOptions, trainedContextTokens: number | null): number {
  const { contextTokens, runtime } = launch;
  const trained = trainedContextTokens ?? Infinity;
  if (runtime === 'embedded') return Math.min(contextTokens, trained, batchTokensFor(launch)) - MARKS;
  const given = (...names: string[]): number => Number(argumentOf(launch.extraArgs, ...names)) || 0;
  const total = given('-c', '--ctx-size');
  const slots = given('-np', '--parallel') || launch.slots;
  const context = total > 0 ? Math.floor(total / slots) : contextTokens;
  const batch = given('-ub', '--ubatch-size') || batchTokensFor(launch);
  return Math.min(context, trained, batch, given('-b', '--batch-size') || Infinity);
}
