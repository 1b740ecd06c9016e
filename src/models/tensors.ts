import { seededRandom } from './random.ts';
import { TOKEN, wordToken, type Vocabulary } from './tiny-vocabulary.ts';

/** How a tensor's numbers are made. */
export type Fill =
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'noise'; readonly scale: number }
  | { readonly kind: 'rows'; readonly row: (index: number) => Float32Array };

export interface Tensor {
  readonly name: string;
  /** Fastest dimension first, as GGUF has it. */
  readonly shape: readonly number[];
  /** Norms and biases stay float32, whatever the file's type. */
  readonly isFloat32: boolean;
  readonly fill: Fill;
}

export interface Shape {
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly feedForward: number;
  readonly contextTokens: number;
}

const noise = (name: string, shape: number[], scale = 0.02): Tensor => ({
  name,
  shape,
  isFloat32: false,
  fill: { kind: 'noise', scale },
});
const constant = (name: string, length: number, value: number): Tensor => ({
  name,
  shape: [length],
  isFloat32: true,
  fill: { kind: 'constant', value },
});
const rows = (name: string, shape: number[], row: (index: number) => Float32Array): Tensor => ({
  name,
  shape,
  isFloat32: false,
  fill: { kind: 'rows', row },
});

/**
 * A llama model that recites a sentence: its layers hardly change what passes through them, and the output row of each word
 * is the embedding of the word before it. At temperature 0, after a newline, word follows word; then comes the end, or
 * with `endless` the first word again.
 */
export function recitingTensors(
  shape: Shape,
  vocabulary: Vocabulary,
  { words, endless, seed }: { words: readonly string[]; endless: boolean; seed: number },
): Tensor[] {
  const { width } = shape;
  const count = vocabulary.tokens.length;
  const random = seededRandom(seed);
  const embeddings = Array.from({ length: count }, () =>
    Float32Array.from({ length: width }, () => (random() < 0.5 ? -1 : 1)),
  );
  const outputs = outputRows(predecessors(vocabulary, words, endless), embeddings, width);
  const nothing = new Float32Array(width);
  return [
    rows('token_embd.weight', [width, count], (token) => embeddings[token] ?? nothing),
    constant('output_norm.weight', width, 1),
    rows('output.weight', [width, count], (token) => outputs.get(token) ?? nothing),
    ...Array.from({ length: shape.layers }, (_, i) => llamaLayer(i, shape)).flat(),
  ];
}

/** For each token of the chain, the tokens after which it comes. */
function predecessors(
  vocabulary: Vocabulary,
  words: readonly string[],
  endless: boolean,
): Map<number, number[]> {
  const chain = [...new Set(words)].map((word) => wordToken(vocabulary, word));
  const newline = vocabulary.idOf.get(TOKEN.newline) ?? 0;
  const [first = 0] = chain;
  const last = chain.at(-1) ?? first;
  const before = new Map<number, number[]>();
  chain.forEach((token, i) => before.set(token, [i === 0 ? newline : (chain[i - 1] ?? newline)]));
  if (endless) before.get(first)?.push(last);
  else before.set(TOKEN.eos, [last]);
  return before;
}

/** The factor makes the right word so likely that rounding cannot change it. */
function outputRows(
  before: ReadonlyMap<number, readonly number[]>,
  embeddings: readonly Float32Array[],
  width: number,
): Map<number, Float32Array> {
  const gain = 16 / width;
  const result = new Map<number, Float32Array>();
  for (const [token, sources] of before) {
    const row = new Float32Array(width);
    for (const source of sources)
      embeddings[source]?.forEach((value, k) => (row[k] = (row[k] ?? 0) + value * gain));
    result.set(token, row);
  }
  return result;
}

function llamaLayer(index: number, { width, heads, kvHeads, feedForward }: Shape): Tensor[] {
  const kvWidth = (width / heads) * kvHeads;
  const name = (part: string): string => `blk.${index}.${part}.weight`;
  const hardly = 1e-3;
  return [
    constant(name('attn_norm'), width, 1),
    noise(name('attn_q'), [width, width]),
    noise(name('attn_k'), [width, kvWidth]),
    noise(name('attn_v'), [width, kvWidth]),
    noise(name('attn_output'), [width, width], hardly),
    constant(name('ffn_norm'), width, 1),
    noise(name('ffn_gate'), [width, feedForward]),
    noise(name('ffn_up'), [width, feedForward]),
    noise(name('ffn_down'), [feedForward, width], hardly),
  ];
}

/** A bert model with random weights: alike texts share characters, so their embeddings are alike. */
export function embeddingTensors(shape: Shape, vocabulary: Vocabulary): Tensor[] {
  const { width, contextTokens, layers } = shape;
  const float32 = (tensor: Tensor): Tensor => ({ ...tensor, isFloat32: true });
  return [
    noise('token_embd.weight', [width, vocabulary.tokens.length], 1),
    float32(noise('position_embd.weight', [width, contextTokens], 0.05)),
    float32(noise('token_types.weight', [width, 2], 0.05)),
    constant('token_embd_norm.weight', width, 1),
    constant('token_embd_norm.bias', width, 0),
    ...Array.from({ length: layers }, (_, i) => bertLayer(i, shape)).flat(),
  ];
}

function bertLayer(index: number, { width, feedForward }: Shape): Tensor[] {
  const dense = (part: string, from: number, to: number): Tensor[] => [
    noise(`blk.${index}.${part}.weight`, [from, to], 0.1),
    constant(`blk.${index}.${part}.bias`, to, 0),
  ];
  const norm = (part: string): Tensor[] => [
    constant(`blk.${index}.${part}.weight`, width, 1),
    constant(`blk.${index}.${part}.bias`, width, 0),
  ];
  return [
    ...['attn_q', 'attn_k', 'attn_v', 'attn_output'].flatMap((part) => dense(part, width, width)),
    ...norm('attn_output_norm'),
    ...dense('ffn_up', width, feedForward),
    ...dense('ffn_down', feedForward, width),
    ...norm('layer_output_norm'),
  ];
}
