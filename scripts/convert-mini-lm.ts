import { open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GGUFValueType } from '@huggingface/gguf';
import { headerOf, paddingOf, type TensorShape } from '../src/models/generate-gguf.ts';
import { bool, f32, list, text, u32, u64, type Typed } from '../src/models/gguf-metadata.ts';

/** What llama.cpp calls the tensors of a bert model, by what its authors call them. */
const NAMES: readonly (readonly [RegExp, string])[] = [
  [/^embeddings\.word_embeddings\./, 'token_embd.'],
  [/^embeddings\.position_embeddings\./, 'position_embd.'],
  [/^embeddings\.token_type_embeddings\./, 'token_types.'],
  [/^embeddings\.LayerNorm\./, 'token_embd_norm.'],
  [/^encoder\.layer\.(\d+)\.attention\.self\.query\./, 'blk.$1.attn_q.'],
  [/^encoder\.layer\.(\d+)\.attention\.self\.key\./, 'blk.$1.attn_k.'],
  [/^encoder\.layer\.(\d+)\.attention\.self\.value\./, 'blk.$1.attn_v.'],
  [/^encoder\.layer\.(\d+)\.attention\.output\.dense\./, 'blk.$1.attn_output.'],
  [/^encoder\.layer\.(\d+)\.attention\.output\.LayerNorm\./, 'blk.$1.attn_output_norm.'],
  [/^encoder\.layer\.(\d+)\.intermediate\.dense\./, 'blk.$1.ffn_up.'],
  [/^encoder\.layer\.(\d+)\.output\.dense\./, 'blk.$1.ffn_down.'],
  [/^encoder\.layer\.(\d+)\.output\.LayerNorm\./, 'blk.$1.layer_output_norm.'],
];
const TOKEN = { normal: 1, control: 3 } as const;

interface Config {
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly layer_norm_eps: number;
  readonly max_position_embeddings: number;
  readonly num_attention_heads: number;
  readonly num_hidden_layers: number;
  readonly type_vocab_size: number;
}
interface Tokenizer {
  readonly model: { readonly vocab: Readonly<Record<string, number>> };
  readonly added_tokens: readonly { readonly content: string }[];
}
interface Stored {
  readonly dtype: string;
  /** Slowest dimension first. */
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/** Writes a sentence embedder of the BERT kind (config.json, tokenizer.json, model.safetensors in float32) as GGUF. */
export async function convertMiniLm(folder: string, path: string): Promise<void> {
  const json = async <T>(name: string): Promise<T> =>
    JSON.parse(await readFile(join(folder, name), 'utf8')) as T;
  const weights = await readFile(join(folder, 'model.safetensors'));
  const tensors = tensorsOf(weights);
  const metadata = metadataOf(
    await json<Config>('config.json'),
    await json<Tokenizer>('tokenizer.json'),
    tensors.length,
  );
  const { header } = await headerOf(metadata, tensors);
  await writeFile(path, header);
  const file = await open(path, 'a');
  try {
    for (const { data } of tensors) {
      await file.write(data);
      await file.write(Buffer.alloc(paddingOf(data.length)));
    }
  } finally {
    await file.close();
  }
}

/** A safetensors file: the length of its header, the header, the data. */
function tensorsOf(file: Buffer): readonly (TensorShape & { readonly data: Buffer })[] {
  const length = Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.subarray(8, 8 + length).toString('utf8')) as Record<string, Stored>;
  const data = file.subarray(8 + length);
  return Object.entries(header).flatMap(([name, stored]) => {
    const [pattern, ours] = NAMES.find(([one]) => one.test(name)) ?? [];
    // Positions are counted, the pooler is of another use than this, and `__metadata__` is no tensor.
    if (pattern === undefined || ours === undefined) return [];
    if (stored.dtype !== 'F32') throw new Error(`${name} is of type ${stored.dtype}, not F32`);
    return [
      {
        name: name.replace(pattern, ours),
        shape: stored.shape.toReversed(),
        isFloat32: true,
        data: data.subarray(...stored.data_offsets),
      },
    ];
  });
}

function metadataOf(config: Config, tokenizer: Tokenizer, tensorCount: number): Record<string, Typed> {
  const { vocab } = tokenizer.model;
  const special = new Set(tokenizer.added_tokens.map(({ content }) => content));
  const words = Object.keys(vocab).toSorted((a, b) => (vocab[a] ?? 0) - (vocab[b] ?? 0));
  const idOf = (token: string): Typed => u32(vocab[token] ?? 0);
  return {
    version: u32(3),
    tensor_count: u64(BigInt(tensorCount)),
    kv_count: u64(0n),
    'general.architecture': text('bert'),
    'general.name': text('all-MiniLM-L6-v2'),
    'general.type': text('model'),
    'general.file_type': u32(0),
    'general.alignment': u32(32),
    'bert.context_length': u32(config.max_position_embeddings),
    'bert.embedding_length': u32(config.hidden_size),
    'bert.block_count': u32(config.num_hidden_layers),
    'bert.feed_forward_length': u32(config.intermediate_size),
    'bert.attention.head_count': u32(config.num_attention_heads),
    'bert.attention.layer_norm_epsilon': f32(config.layer_norm_eps),
    'bert.attention.causal': bool(false),
    // 1 = mean
    'bert.pooling_type': u32(1),
    'tokenizer.ggml.model': text('bert'),
    'tokenizer.ggml.pre': text('default'),
    'tokenizer.ggml.token_type_count': u32(config.type_vocab_size),
    'tokenizer.ggml.tokens': list(
      words.map((word) => (special.has(word) ? word : marked(word))),
      GGUFValueType.STRING,
    ),
    'tokenizer.ggml.token_type': list(
      words.map((word) => (special.has(word) ? TOKEN.control : TOKEN.normal)),
      GGUFValueType.INT32,
    ),
    'tokenizer.ggml.padding_token_id': idOf('[PAD]'),
    'tokenizer.ggml.unknown_token_id': idOf('[UNK]'),
    'tokenizer.ggml.cls_token_id': idOf('[CLS]'),
    'tokenizer.ggml.bos_token_id': idOf('[CLS]'),
    // llama.cpp's own spelling
    'tokenizer.ggml.seperator_token_id': idOf('[SEP]'),
    'tokenizer.ggml.eos_token_id': idOf('[SEP]'),
    'tokenizer.ggml.mask_token_id': idOf('[MASK]'),
  };
}

/** llama.cpp marks the pieces that begin a word, where WordPiece marks those that go on with one. */
const marked = (word: string): string => (word.startsWith('##') ? word.slice(2) : `\u2581${word}`);
