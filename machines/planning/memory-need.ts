/** What a model's header tells of its size. */
export interface ModelShape {
  /** All tensors, as they lie in the file. */
  readonly weightsBytes: number;
  readonly layers: number;
  readonly embeddingLength: number;
  readonly feedForwardLength: number;
  readonly heads: number;
  /** Per layer; 0 where a layer has no KV cache. */
  readonly kvHeads: readonly number[];
  readonly keyLength: number;
  readonly valueLength: number;
  readonly vocabulary: number;
  readonly trainedContextTokens: number;
  /** Tokens that sliding-window layers keep; null without such layers. */
  readonly slidingWindowTokens: number | null;
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
}

export interface PredictedNeed {
  readonly weightsBytes: number;
  readonly kvBytes: number;
  readonly computeBytes: number;
  readonly totalBytes: number;
}

/** Bytes per element; block types hold 32 elements and their scale (ggml's block structures). */
const CACHE_TYPE_BYTES: Readonly<Record<string, number>> = {
  f32: 4,
  f16: 2,
  bf16: 2,
  q8_0: 34 / 32,
  q5_1: 24 / 32,
  q5_0: 22 / 32,
  q4_1: 20 / 32,
  q4_0: 18 / 32,
  iq4_nl: 18 / 32,
};
/** llama.cpp's default `--ubatch-size`. */
const DEFAULT_BATCH_TOKENS = 512;

/**
 * Memory of a fully offloaded model by llama.cpp's own layout (checked against its `llama-fit-params`, v0.4 and v0.5):
 * weights as in the file; KV cache = Σ over layers of context · kvHeads · (key length · K type + value length · V type), the
 * context of a sliding-window layer being at most window · slots + batch; compute buffers ≈ batch · (4 · max(vocabulary,
 * 4 · feedForward + embedding) + 2 · context for the mask, and 4 · heads · context more without flash attention). For
 * a model of 8 layers, width 1024 and feed-forward 3072 both say 28 MiB at 2,048 tokens and 34 MiB at 8,192.
 */
export function predictNeed(shape: ModelShape, options: NeedOptions): PredictedNeed {
  const { contextTokens, slots, batchTokens = DEFAULT_BATCH_TOKENS, flashAttention = true } = options;
  const totalTokens = contextTokens * slots;
  const cachedTokens =
    shape.slidingWindowTokens === null
      ? totalTokens
      : Math.min(totalTokens, shape.slidingWindowTokens * slots + batchTokens);
  const perHead =
    shape.keyLength * cacheBytes(options.cacheTypeK) + shape.valueLength * cacheBytes(options.cacheTypeV);
  const kvBytes = shape.kvHeads.reduce((sum, heads) => sum + cachedTokens * heads * perHead, 0);
  const attention = flashAttention ? 0 : shape.heads * totalTokens * 4;
  const activations = 4 * shape.feedForwardLength + shape.embeddingLength;
  const computeBytes =
    batchTokens * (4 * Math.max(shape.vocabulary, activations) + 2 * totalTokens + attention);
  const { weightsBytes } = shape;
  return {
    weightsBytes,
    kvBytes,
    computeBytes,
    totalBytes: Math.ceil(weightsBytes + kvBytes + computeBytes),
  };
}

const cacheBytes = (type = 'f16'): number => CACHE_TYPE_BYTES[type.toLowerCase()] ?? 2;
