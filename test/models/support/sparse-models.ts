import { open } from 'node:fs/promises';
import { rawGguf, rawList, rawTensor, rawText, TYPE, type RawPair } from '../../support/raw-gguf.ts';

/** What llama.cpp wants to find in a file of some architecture: enough to size it, and no weights. */
export interface SparseModel {
  readonly architecture: string;
  /** Without the architecture's prefix; those of the tokenizer in full. Whole numbers, fractions, and lists of whole numbers. */
  readonly keys: Readonly<Record<string, number | readonly number[] | readonly boolean[]>>;
  readonly tensors: readonly SparseTensor[];
}

export type SparseTensor = readonly [name: string, lengths: readonly number[], type?: 'f32' | 'f16' | 'q8_0'];

export const VOCABULARY = 32_000;
const ALIGNMENT = 32;
const TYPES = { f32: [0, 1, 4], f16: [1, 1, 2], q8_0: [8, 32, 34] } as const;
/** Figures that llama.cpp reads as fractions, even where they are whole. */
const FRACTIONS = /epsilon|freq_base|scale|softcapping/;

/** Writes a model whose weights are a hole in the file: it takes no room on the disk, whatever its size. */
export async function writeSparse(path: string, { architecture, keys, tensors }: SparseModel): Promise<void> {
  let offset = 0;
  const records = tensors.map(([name, lengths, type = lengths.length === 1 ? 'f32' : 'q8_0']) => {
    const [number, blockLength, blockBytes] = TYPES[type];
    const at = offset;
    const elements = lengths.reduce((product, length) => product * length, 1);
    offset += Math.ceil(((elements / blockLength) * blockBytes) / ALIGNMENT) * ALIGNMENT;
    return rawTensor(name, lengths.map(BigInt), number, BigInt(at));
  });
  const pairs: RawPair[] = [
    ['general.architecture', TYPE.text, architecture],
    ...vocabulary(),
    ...Object.entries(keys).map(([key, value]): RawPair =>
      pairOf(key.startsWith('tokenizer.') ? key : `${architecture}.${key}`, value),
    ),
  ];
  const header = rawGguf({ pairs, tensors: records });
  const file = await open(path, 'w');
  try {
    await file.write(header);
    await file.truncate(header.length + ALIGNMENT + offset);
  } finally {
    await file.close();
  }
}

function pairOf(key: string, value: SparseModel['keys'][string]): RawPair {
  if (typeof value === 'number') return [key, FRACTIONS.test(key) ? TYPE.f32 : TYPE.u32, value];
  const bytes = Buffer.concat(
    value.map((one) => {
      const buffer = Buffer.alloc(typeof one === 'boolean' ? 1 : 4);
      if (typeof one === 'boolean') buffer.writeUInt8(Number(one));
      else buffer.writeInt32LE(one);
      return buffer;
    }),
  );
  const type = typeof value[0] === 'boolean' ? TYPE.bool : TYPE.i32;
  return [key, TYPE.list, rawList(type, BigInt(value.length), bytes)];
}

function vocabulary(): RawPair[] {
  const bytes = Array.from({ length: 256 }, (_, i) => `<0x${i.toString(16).toUpperCase().padStart(2, '0')}>`);
  const words = Array.from({ length: VOCABULARY - 259 }, (_, i) => `t${i}`);
  const tokens = ['<unk>', '<s>', '</s>', ...bytes, ...words];
  const kinds = Buffer.alloc(4 * VOCABULARY, Buffer.from([1, 0, 0, 0]));
  tokens.slice(0, 259).forEach((_, i) => kinds.writeInt32LE(i < 1 ? 2 : i < 3 ? 3 : 6, 4 * i));
  const count = BigInt(VOCABULARY);
  return [
    ['tokenizer.ggml.model', TYPE.text, 'llama'],
    ['tokenizer.ggml.tokens', TYPE.list, rawList(TYPE.text, count, Buffer.concat(tokens.map(rawText)))],
    ['tokenizer.ggml.scores', TYPE.list, rawList(TYPE.f32, count, Buffer.alloc(4 * VOCABULARY))],
    ['tokenizer.ggml.token_type', TYPE.list, rawList(TYPE.i32, count, kinds)],
    ['tokenizer.ggml.bos_token_id', TYPE.u32, 1],
    ['tokenizer.ggml.eos_token_id', TYPE.u32, 2],
  ];
}
