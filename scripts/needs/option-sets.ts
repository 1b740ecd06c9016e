import type { realModels } from '../real-model-cache.ts';

/** How a real model is run to see what it needs. */
export interface OptionSet {
  readonly model: keyof typeof realModels;
  readonly says: string;
  /** Keys of the model in a configuration. */
  readonly keys: {
    readonly context?: number;
    readonly slots?: number;
    readonly kind?: 'embedding';
    readonly args?: readonly string[];
  };
  /** It takes a minute: not for the tests. */
  readonly isLong?: boolean;
}

const one = { context: 1024, slots: 1 };

/** What is compared: each of what changes a need, on models that are made differently. */
export const optionSets: readonly OptionSet[] = [
  { model: 'smollm2', says: 'context 1,024', keys: one },
  { model: 'smollm2', says: 'context 512, 4 slots', keys: { context: 512, slots: 4 } },
  { model: 'smollm2', says: 'context 4,096', keys: { context: 4096, slots: 1 }, isLong: true },
  {
    model: 'smollm2',
    says: 'cache in 8 bits',
    keys: { ...one, args: ['-ctk', 'q8_0', '-ctv', 'q8_0'] },
  },
  {
    model: 'smollm2',
    says: 'cache in 4 bits',
    keys: { ...one, args: ['-ctk', 'q4_0', '-ctv', 'q4_0'] },
    isLong: true,
  },
  { model: 'smollm2', says: 'no flash attention', keys: { ...one, args: ['-fa', 'off'] } },
  { model: 'smollm2', says: 'batches of 128', keys: { ...one, args: ['-ub', '128'] } },
  { model: 'smollm2', says: 'batches of 1,024', keys: { ...one, args: ['-ub', '1024'] } },
  {
    model: 'smollm2',
    says: 'as an embedder, mean',
    keys: { context: 512, slots: 1, kind: 'embedding', args: ['--pooling', 'mean'] },
  },
  { model: 'gemma', says: 'context 1,024', keys: one },
  { model: 'gemma', says: 'context 512, 2 slots', keys: { context: 512, slots: 2 } },
  { model: 'gemma', says: 'context 4,096', keys: { context: 4096, slots: 1 }, isLong: true },
  {
    model: 'gemma',
    says: 'context 2,048, `--swa-full`',
    keys: { context: 2048, slots: 1, args: ['--swa-full'] },
    isLong: true,
  },
  {
    model: 'gemma',
    says: 'cache in 8 bits',
    keys: { ...one, args: ['-ctk', 'q8_0', '-ctv', 'q8_0'] },
  },
  { model: 'gemma', says: 'no flash attention', keys: { ...one, args: ['-fa', 'off'] } },
  { model: 'gemma', says: 'batches of 1,024', keys: { ...one, args: ['-ub', '1024'] } },
  { model: 'minilm', says: 'as it is', keys: {} },
  { model: 'minilm', says: 'context 256', keys: { context: 256 } },
  { model: 'minilm', says: 'context 512, 4 slots', keys: { context: 512, slots: 4 } },
  { model: 'minilm', says: 'no flash attention', keys: { args: ['-fa', 'off'] } },
];
