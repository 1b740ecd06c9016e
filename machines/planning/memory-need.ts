/** One layer's part of the KV cache. */
export interface AttentionLayer {
  /** 0 where a layer has no KV cache. */
  readonly kvHeads: number;
  readonly keyLength: number;
  readonly valueLength: number;
  /** Tokens that a sliding-window layer keeps; null where it keeps the whole context. */
  readonly windowTokens: number | null;
  /** It keeps one compressed entry for so many tokens; absent: one for each. */
  readonly tokensPerEntry?: number;
}

/** What a model's header tells of its size. */
export interface ModelShape {
  /** All tensors, as they lie in the file. */
  readonly weightsBytes: number;
  /** The part of them that stays in main memory when all layers are on a GPU, unless the output shares it. */
  readonly tokenEmbeddingBytes: number;
  readonly layers: number;
  readonly embeddingLength: number;
  readonly feedForwardLength: number;
  readonly heads: number;
  readonly attention: readonly AttentionLayer[];
  /** State of recurrent layers, whatever the context; 0 without such layers. */
  readonly recurrentBytesPerSlot: number;
  readonly vocabulary: number;
  readonly trainedContextTokens: number;
}

export interface NeedOptions {
  /** Per slot. */
  readonly contextTokens: number;
  readonly slots: number;
  /** llama.cpp's names of KV cache types: `f16`, `q8_0`, `q4_0`… */
  readonly cacheTypeK?: string;
  readonly cacheTypeV?: string;
  readonly batchTokens?: number;
  /** Of a batch, those whose logits are wanted (llama.cpp's `n_outputs_max`); absent: all, as `llama-fit-params` has it. */
  readonly outputTokens?: number;
  readonly flashAttention?: boolean;
  /** Sliding-window layers keep the whole context as well (`--swa-full`). */
  readonly fullWindows?: boolean;
}

export interface PredictedNeed {
  readonly weightsBytes: number;
  /** KV cache and recurrent state. */
  readonly kvBytes: number;
  readonly computeBytes: number;
  readonly totalBytes: number;
}

/** Bytes per element; block types hold 32 elements and their scale (ggml's block structures). */
const CACHE_TYPE_BYTES: ReadonlyMap<string, number> = new Map([
  ['f32', 4],
  ['f16', 2],
  ['bf16', 2],
  ['q8_0', 34 / 32],
  ['q5_1', 24 / 32],
  ['q5_0', 22 / 32],
  ['q4_1', 20 / 32],
  ['q4_0', 18 / 32],
  ['iq4_nl', 18 / 32],
]);
/** llama.cpp's default `--ubatch-size`. */
const DEFAULT_BATCH_TOKENS = 512;

/** llama.cpp rounds each slot's cache up to a multiple of this. */
const CACHE_STEP_TOKENS = 256;

/**
 * Memory of a fully offloaded model by llama.cpp's own layout, for slots of their own context (an explicit `-np`): weights as in
 * the file; KV cache = Σ over slots and layers of context · kvHeads · (key length · K type + value length · V type), the context
 * of a sliding-window layer being at most window + batch; recurrent state per slot; compute buffers as `computeOf` has them. Against
 * `llama-fit-params` of llama.cpp v0.4 the cache is exact and the buffers are within a fifth, except for recurrent models, whose buffers
 * are tens of MiB larger than this; against its llama-server, for dense models, buffers are within a hundredth.
 */
export function predictNeed(shape: ModelShape, options: NeedOptions): PredictedNeed {
  const { slots, cacheTypeK, cacheTypeV, fullWindows = false } = options;
  const contextTokens = roundUp(options.contextTokens);
  const keyBytes = typeBytes(cacheTypeK);
  const valueBytes = typeBytes(cacheTypeV);
  const { batchTokens = DEFAULT_BATCH_TOKENS } = options;
  const windows: Windows = { wholeTokens: 0, slidingTokens: 0 };
  let slotBytes = shape.recurrentBytesPerSlot;
  for (const { kvHeads, keyLength, valueLength, windowTokens, tokensPerEntry = 1 } of shape.attention) {
    const whole = roundUp(contextTokens / tokensPerEntry);
    const slides = windowTokens !== null && !fullWindows;
    const kept = slides ? Math.min(whole, roundUp(windowTokens + batchTokens)) : whole;
    if (windowTokens === null) windows.wholeTokens = contextTokens;
    else windows.slidingTokens = kept;
    slotBytes += kept * kvHeads * (keyLength * keyBytes + valueLength * valueBytes);
  }
  const { weightsBytes } = shape;
  const kvBytes = slots * slotBytes;
  const computeBytes = computeOf(shape, options, windows);
  const totalBytes = Math.ceil(weightsBytes + kvBytes + computeBytes);
  return { weightsBytes, kvBytes, computeBytes, totalBytes };
}

/** How many tokens the masks are for, of layers that see the whole context and of those that do not. */
interface Windows {
  wholeTokens: number;
  slidingTokens: number;
}

/**
 * The largest that is needed at a time, in a batch: either its logits, 4 · (vocabulary + 2 · embedding) for each token that has some; or what one
 * layer computes, 4 · (4 · feed-forward + embedding + keys) for each token, with the masks, 2 for each token of the context, and
 * 4 · heads · context more without flash attention. An encoder has no logits, no cache, and a feed-forward without a gate.
 */
function computeOf(shape: ModelShape, options: NeedOptions, { wholeTokens, slidingTokens }: Windows): number {
  const { batchTokens = DEFAULT_BATCH_TOKENS, outputTokens = batchTokens, flashAttention = true } = options;
  const { feedForwardLength, embeddingLength, heads, attention, vocabulary } = shape;
  const contextTokens = roundUp(options.contextTokens);
  const scores = (tokens: number): number => (flashAttention ? 0 : heads * tokens * 4);
  if (isEncoder(shape))
    return (
      batchTokens * (4 * (feedForwardLength + 3 * embeddingLength) + 2 * batchTokens + scores(batchTokens))
    );
  const keys = Math.max(0, ...attention.map(({ kvHeads, keyLength }) => kvHeads * keyLength));
  const layer = 4 * (4 * feedForwardLength + embeddingLength + keys) + 2 * (wholeTokens + slidingTokens);
  // The logits come last, where the masks are needed no more.
  const logits = 4 * (vocabulary + 2 * embeddingLength);
  return Math.max(
    Math.min(outputTokens, batchTokens) * logits,
    batchTokens * (layer + scores(contextTokens)),
  );
}

/** It reads a text at once and writes none. */
export const isEncoder = ({ attention, recurrentBytesPerSlot }: ModelShape): boolean =>
  recurrentBytesPerSlot === 0 && attention.every(({ kvHeads }) => kvHeads === 0);

const roundUp = (tokens: number): number => Math.ceil(tokens / CACHE_STEP_TOKENS) * CACHE_STEP_TOKENS;

const typeBytes = (type = 'f16'): number => CACHE_TYPE_BYTES.get(type.toLowerCase()) ?? 2;
