import type { AttentionLayer, ModelShape } from '../../machines/planning/memory-need.ts';
import { MOST_LAYERS } from './bounds.ts';
import { GgufKeys } from './gguf-keys.ts';
import type { GgufHeader } from './parse-gguf-header.ts';
import { compressorBytes, sideCaches } from './side-caches.ts';
import { slidingWindows } from './sliding-window.ts';
import { tensorBytes } from './tensor-bytes.ts';

/** Architectures that only embed, whatever else their header says; llama.cpp gives them no cache. */
const EMBEDDING_ARCHITECTURES = /bert|t5encoder|gemma-embedding/;
/** They compute values from the keys that they keep. */
const KEYS_ONLY_ARCHITECTURES = /^deepseek4$/;
/** Of qwen3next and its kin every fourth layer attends, unless the header says otherwise. */
const INTERVAL_ARCHITECTURES = /^qwen3next|^qwen35/;
const DEFAULT_INTERVAL = 4;
/** Their last layers draft for the others, and have their cache in a context of its own (llama.cpp's `n_layer_nextn`); of others they have one as any layer. */
const HEADS_ASIDE =
  /^(?:step35|hy_v3|glm-dsa|mimo2|deepseek32|deepseek4|dots3note|qwen3next|qwen35(?:moe)?)$/;
/** Recurrent state is kept in float32. */
const STATE_BYTES = 4;

/** Whether a model turns text into one vector: by its architecture, or because it states how to pool. */
export const isEmbeddingModel = (keys: GgufKeys): boolean =>
  EMBEDDING_ARCHITECTURES.test(keys.architecture) || (keys.count('pooling_type') ?? 0) > 0;

/** llama.cpp's number of the pooling that makes one figure of a pair of texts. */
const RANK_POOLING = 4;

/** Whether a model tells how well a text answers a question, by how it states to pool. */
export const isReranker = (keys: GgufKeys): boolean => keys.count('pooling_type') === RANK_POOLING;

/** What a header tells of the memory that its model will need; `weightsBytes` counts all parts of a split file. */
export function shapeOf({ pairs, tensors }: GgufHeader, weightsBytes: number): ModelShape {
  const keys = new GgufKeys(pairs);
  const layers = keys.count('block_count', MOST_LAYERS) ?? 0;
  const trunk = trunkOf(keys, layers);
  const attention = attentionOf(keys, layers).slice(0, trunk);
  const embedding = tensors.find(({ name }) => name === 'token_embd.weight');
  return {
    weightsBytes,
    tokenEmbeddingBytes: (embedding && tensorBytes(embedding)) ?? 0,
    layers,
    embeddingLength: keys.count('embedding_length') ?? 0,
    feedForwardLength: Math.max(0, ...(keys.perLayer('feed_forward_length', layers) ?? [])),
    heads: headsOf(keys, layers),
    attention: [...attention, ...sideCaches(keys, trunk)],
    recurrentBytesPerSlot: recurrentBytes(keys, attention) + compressorBytes(keys, trunk),
    vocabulary: keys.count('vocab_size') ?? keys.lengthOf('tokenizer.ggml.tokens'),
    trainedContextTokens: keys.count('context_length') ?? 0,
  };
}

/** How many layers keep something of a context. */
const trunkOf = (keys: GgufKeys, layers: number): number =>
  HEADS_ASIDE.test(keys.architecture)
    ? Math.max(0, layers - (keys.count('nextn_predict_layers') ?? 0))
    : layers;

const headsOf = (keys: GgufKeys, layers: number): number =>
  Math.max(1, ...(keys.perLayer('attention.head_count', layers) ?? []));

function attentionOf(keys: GgufKeys, layers: number): readonly AttentionLayer[] {
  const headLength = (keys.count('embedding_length') ?? 0) / headsOf(keys, layers);
  const keyLength = keys.count('attention.key_length') ?? headLength;
  // Multi-head latent attention caches one compressed vector, from which values are computed too.
  const isLatent =
    (keys.count('attention.key_length_mla') ?? 0) > 0 || KEYS_ONLY_ARCHITECTURES.test(keys.architecture);
  const valueLength = isLatent ? 0 : (keys.count('attention.value_length') ?? headLength);
  const kvHeads = kvHeadsOf(keys, layers);
  // Some architectures have shorter heads where they slide.
  const slidingKeyLength = keys.count('attention.key_length_swa') ?? keyLength;
  const slidingValueLength = isLatent ? 0 : (keys.count('attention.value_length_swa') ?? valueLength);
  return slidingWindows(keys, layers).map((windowTokens, layer) => ({
    kvHeads: kvHeads[layer] ?? 0,
    keyLength: windowTokens === null ? keyLength : slidingKeyLength,
    valueLength: windowTokens === null ? valueLength : slidingValueLength,
    windowTokens,
  }));
}

/** Per layer, 0 where a layer caches nothing: it is recurrent, shares another one's cache, or the model only embeds. */
function kvHeadsOf(keys: GgufKeys, layers: number): readonly number[] {
  if (EMBEDDING_ARCHITECTURES.test(keys.architecture)) return [];
  const kvHeads =
    keys.perLayer('attention.head_count_kv', layers) ?? keys.perLayer('attention.head_count', layers) ?? [];
  const interval =
    keys.count('full_attention_interval') ??
    (INTERVAL_ARCHITECTURES.test(keys.architecture) ? DEFAULT_INTERVAL : 1);
  const firstSharing = layers - (keys.count('attention.shared_kv_layers') ?? 0);
  return kvHeads.map((heads, layer) => ((layer + 1) % interval === 0 && layer < firstSharing ? heads : 0));
}

/**
 * State of Mamba-like and short-convolution layers (`n_embd_r` and `n_embd_s` in llama.cpp's llama-hparams.cpp). Such layers are
 * those without attention; where every layer attends, as in falcon-h1, each has both.
 */
function recurrentBytes(keys: GgufKeys, attention: readonly AttentionLayer[]): number {
  const without = attention.filter(({ kvHeads }) => kvHeads === 0).length;
  const layers = without > 0 ? without : attention.length;
  const shortConvolution = keys.count('shortconv.l_cache');
  if (shortConvolution !== null)
    return layers * (keys.count('embedding_length') ?? 0) * Math.max(0, shortConvolution - 1) * STATE_BYTES;
  const inner = keys.count('ssm.inner_size') ?? 0;
  const state = keys.count('ssm.state_size') ?? 0;
  const kernel = Math.max(1, keys.count('ssm.conv_kernel') ?? 1);
  const convolution = (kernel - 1) * (inner + 2 * (keys.count('ssm.group_count') ?? 0) * state);
  return layers * (convolution + state * inner) * STATE_BYTES;
}
