import type { LaunchOptions } from '../vocabulary.ts';

/** llama.cpp's default `--ubatch-size`. */
const USUAL_TOKENS = 512;
/** Long prompts are read faster in larger batches, as Ollama chooses them (its behaviour N8). */
const BY_CONTEXT: readonly (readonly [aboveTokens: number, batchTokens: number])[] = [
  [32_768, 2_048],
  [4_096, 1_024],
];
/** An embedding model reads its whole input as one batch; llama-server refuses what is longer. */
const MOST_EMBEDDING_TOKENS = 8_192;

/** How many tokens a runner works on at a time (`--ubatch-size`), which its compute buffers grow with. */
export function batchTokensFor({ contextTokens, embedding, runtime }: LaunchOptions): number {
  if (runtime === 'embedded') return USUAL_TOKENS;
  if (embedding) return Math.min(Math.max(contextTokens, USUAL_TOKENS), MOST_EMBEDDING_TOKENS);
  return BY_CONTEXT.find(([above]) => contextTokens > above)?.[1] ?? USUAL_TOKENS;
}
