import { GGUFValueType } from '@huggingface/gguf';
import type { Shape } from './tensors.ts';
import { TOKEN, type Vocabulary } from './tiny-vocabulary.ts';

const CHAT_TEMPLATE =
  "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}" +
  "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

/** A value of a header with its type, as the writer of headers takes it. */
export interface Typed {
  readonly value: unknown;
  readonly type: GGUFValueType;
  readonly subType?: GGUFValueType;
}
export const u32 = (value: number): Typed => ({ value, type: GGUFValueType.UINT32 });
export const u64 = (value: bigint): Typed => ({ value, type: GGUFValueType.UINT64 });
export const f32 = (value: number): Typed => ({ value, type: GGUFValueType.FLOAT32 });
export const bool = (value: boolean): Typed => ({ value, type: GGUFValueType.BOOL });
export const text = (value: string): Typed => ({ value, type: GGUFValueType.STRING });
export const list = (value: readonly unknown[], subType: GGUFValueType): Typed => ({
  value,
  type: GGUFValueType.ARRAY,
  subType,
});

interface About {
  readonly kind: 'chat' | 'embedding';
  readonly name: string;
  readonly shape: Shape;
  readonly vocabulary: Vocabulary;
}

/** The keys that llama.cpp requires of a llama or a bert model, and those worth having. */
export function metadataOf(about: About): Record<string, Typed> {
  const { kind, name, shape, vocabulary } = about;
  const arch = kind === 'chat' ? 'llama' : 'bert';
  return {
    version: u32(3),
    tensor_count: u64(BigInt(tensorCount(about))),
    kv_count: u64(0n),
    'general.architecture': text(arch),
    'general.name': text(name),
    'general.type': text('model'),
    'general.file_type': u32(1),
    'general.alignment': u32(32),
    [`${arch}.context_length`]: u32(shape.contextTokens),
    [`${arch}.embedding_length`]: u32(shape.width),
    [`${arch}.block_count`]: u32(shape.layers),
    [`${arch}.feed_forward_length`]: u32(shape.feedForward),
    [`${arch}.attention.head_count`]: u32(shape.heads),
    [`${arch}.attention.head_count_kv`]: u32(shape.kvHeads),
    [`${arch}.vocab_size`]: u32(vocabulary.tokens.length),
    'tokenizer.ggml.model': text(arch),
    'tokenizer.ggml.pre': text('default'),
    'tokenizer.ggml.tokens': list(vocabulary.tokens, GGUFValueType.STRING),
    'tokenizer.ggml.scores': list(vocabulary.scores, GGUFValueType.FLOAT32),
    'tokenizer.ggml.token_type': list(vocabulary.types, GGUFValueType.INT32),
    ...(kind === 'chat' ? chatKeys(shape, vocabulary) : embeddingKeys()),
  };
}

const LAYER_TENSORS = { chat: 9, embedding: 16 } as const;
const OTHER_TENSORS = { chat: 3, embedding: 5 } as const;
const tensorCount = ({ kind, shape }: About): number =>
  OTHER_TENSORS[kind] + LAYER_TENSORS[kind] * shape.layers;

const chatKeys = (shape: Shape, vocabulary: Vocabulary): Record<string, Typed> => ({
  'llama.attention.layer_norm_rms_epsilon': f32(1e-5),
  'llama.rope.dimension_count': u32(shape.width / shape.heads),
  'llama.rope.freq_base': f32(10_000),
  'tokenizer.ggml.bos_token_id': u32(TOKEN.bos),
  'tokenizer.ggml.eos_token_id': u32(TOKEN.eos),
  'tokenizer.ggml.unknown_token_id': u32(0),
  'tokenizer.ggml.eot_token_id': u32(vocabulary.idOf.get(TOKEN.chatEnd) ?? TOKEN.eos),
  'tokenizer.ggml.add_bos_token': bool(true),
  'tokenizer.ggml.add_space_prefix': bool(false),
  'tokenizer.chat_template': text(CHAT_TEMPLATE),
});

const embeddingKeys = (): Record<string, Typed> => ({
  'bert.attention.layer_norm_epsilon': f32(1e-12),
  'bert.attention.causal': bool(false),
  // 1 = mean
  'bert.pooling_type': u32(1),
  'tokenizer.ggml.token_type_count': u32(2),
  'tokenizer.ggml.padding_token_id': u32(0),
  'tokenizer.ggml.unknown_token_id': u32(1),
  'tokenizer.ggml.cls_token_id': u32(2),
  'tokenizer.ggml.bos_token_id': u32(2),
  // llama.cpp's own spelling
  'tokenizer.ggml.seperator_token_id': u32(3),
  'tokenizer.ggml.eos_token_id': u32(3),
  'tokenizer.ggml.mask_token_id': u32(4),
});
