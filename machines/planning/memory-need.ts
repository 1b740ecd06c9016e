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
 * of a sliding-window layer being at most window + batch; recurrent state per slot; compute buffers ≈ batch · the larger of 4 ·
 * (vocabulary + 2 · embedding) and 4 · (4 · feedForward + embedding) + 2 · context for each mask, and 4 · heads · context more
 * without flash attention. Against `llama-fit-params` of llama.cpp v0.4 the cache is exact and the buffers are within a fifth,
 * except for recurrent models, whose buffers are tens of MiB larger than this.
 */
export function predictNeed(shape: ModelShape, options: NeedOptions): PredictedNeed {
  const {
    slots,
    cacheTypeK,
    cacheTypeV,
    batchTokens = DEFAULT_BATCH_TOKENS,
    flashAttention = true,
    fullWindows = false,
  } = options;
  const contextTokens = roundUp(options.contextTokens);
  const keyBytes = typeBytes(cacheTypeK);
  const valueBytes = typeBytes(cacheTypeV);
  let slotBytes = shape.recurrentBytesPerSlot;
  let wholeMaskTokens = 0;
  let slidingMaskTokens = 0;
  for (const { kvHeads, keyLength, valueLength, windowTokens, tokensPerEntry = 1 } of shape.attention) {
    const whole = roundUp(contextTokens / tokensPerEntry);
    const slides = windowTokens !== null && !fullWindows;
    const kept = slides ? Math.min(whole, roundUp(windowTokens + batchTokens)) : whole;
    if (windowTokens === null) wholeMaskTokens = contextTokens;
    else slidingMaskTokens = kept;
    slotBytes += kept * kvHeads * (keyLength * keyBytes + valueLength * valueBytes);
  }
  const activations = 4 * shape.feedForwardLength + shape.embeddingLength;
  const masks = 2 * (wholeMaskTokens + slidingMaskTokens);
  const attention = flashAttention ? 0 : shape.heads * contextTokens * 4;
  const { weightsBytes } = shape;
  const kvBytes = slots * slotBytes;
  // The logits come last, where the masks are needed no more.
  const logits = shape.vocabulary + 2 * shape.embeddingLength;
  const computeBytes = batchTokens * Math.max(4 * logits, 4 * activations + masks + attention);
  const totalBytes = Math.ceil(weightsBytes + kvBytes + computeBytes);
  return { weightsBytes, kvBytes, computeBytes, totalBytes };
}

const roundUp = (tokens: number): number => Math.ceil(tokens / CACHE_STEP_TOKENS) * CACHE_STEP_TOKENS;

const typeBytes = (type = 'f16'): number => CACHE_TYPE_BYTES.get(type.toLowerCase()) ?? 2;
