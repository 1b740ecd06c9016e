import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { buildGgufHeader, GGMLQuantizationType, type GGUFTypedMetadata } from '@huggingface/gguf';
import { metadataOf, type Typed } from './gguf-metadata.ts';
import { encode } from './half-float.ts';
import { seededRandom } from './random.ts';
import { embeddingTensors, recitingTensors, type Shape, type Tensor } from './tensors.ts';
import { chatVocabulary, embeddingVocabulary } from './tiny-vocabulary.ts';

const ALIGNMENT = 32;
/** Numbers in the tile of noise that fills large tensors, over and over. */
const TILE_LENGTH = 1 << 18;
const DEFAULT_SENTENCE =
  'Hello from a tiny model with made-up weights . It knows this one sentence and then it stops';

export interface GgufOptions {
  readonly kind?: 'chat' | 'embedding';
  readonly name?: string;
  /** What a chat model recites; words that come twice are said once. */
  readonly sentence?: string;
  /** Starts over instead of stopping. */
  readonly endless?: boolean;
  /** About how large the file is to become; without it, some 300 KB. */
  readonly targetBytes?: number;
  readonly contextTokens?: number;
  readonly seed?: number;
}

/**
 * Writes a small GGUF model with made-up weights: no training, no download, the same bytes for the same options. The file
 * appears under its name only once it is whole.
 */
export async function generateGguf(path: string, options: GgufOptions = {}): Promise<{ bytes: number }> {
  const { kind = 'chat', seed = 1, endless = false } = options;
  const isChat = kind === 'chat';
  const shape = shapeFor(options);
  const words = (options.sentence ?? DEFAULT_SENTENCE).split(/\s+/);
  const vocabulary = isChat ? chatVocabulary(words) : embeddingVocabulary();
  const tensors = isChat
    ? recitingTensors(shape, vocabulary, { words, endless, seed })
    : embeddingTensors(shape, vocabulary);
  const metadata = metadataOf({ kind, name: options.name ?? `tiny-${kind}`, shape, vocabulary });
  const { header, bytes } = await headerOf(metadata, tensors);
  const draft = `${path}.${process.pid}.part`;
  try {
    await writeAll(draft, header, tensors, seed);
    await rename(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
  return { bytes: header.length + bytes };
}

/** All that stands before the data of the tensors, and how many bytes that has, each tensor padded. */
export async function headerOf(
  metadata: Readonly<Record<string, Typed>>,
  tensors: readonly TensorShape[],
): Promise<{ header: Uint8Array; bytes: number }> {
  const { blob, bytes } = tensorInfos(tensors);
  const header = await buildGgufHeader(blob, metadata as unknown as GGUFTypedMetadata, {
    littleEndian: true,
    tensorInfoByteRange: [0, blob.size],
    alignment: ALIGNMENT,
  });
  return { header: new Uint8Array(await header.arrayBuffer()), bytes };
}

/** Wide layers first, then as many of them as the size takes. */
function shapeFor({ kind = 'chat', targetBytes, contextTokens }: GgufOptions): Shape {
  const isChat = kind === 'chat';
  const context = contextTokens ?? (isChat ? 2048 : 512);
  if (targetBytes === undefined)
    return {
      width: 64,
      layers: 2,
      heads: 4,
      kvHeads: isChat ? 2 : 4,
      feedForward: 128,
      contextTokens: context,
    };
  const width = 1024;
  const heads = width / 64;
  const kvHeads = isChat ? heads / 4 : heads;
  const feedForward = width * 3;
  const matrices = 2 * width * width + 2 * width * 64 * kvHeads + (isChat ? 3 : 2) * width * feedForward;
  const layers = Math.max(1, Math.round(targetBytes / (matrices * 2)));
  return { width, layers, heads, kvHeads, feedForward, contextTokens: context };
}

/** A tensor without its numbers. */
export type TensorShape = Pick<Tensor, 'name' | 'shape' | 'isFloat32'>;

const sizeOf = (tensor: TensorShape): number =>
  tensor.shape.reduce((product, length) => product * length, 1) * (tensor.isFloat32 ? 4 : 2);
export const paddingOf = (bytes: number): number => (ALIGNMENT - (bytes % ALIGNMENT)) % ALIGNMENT;

/** One record per tensor: name, dimensions, type, offset into the data that follows. */
function tensorInfos(tensors: readonly TensorShape[]): { blob: Blob; bytes: number } {
  let offset = 0;
  const records = tensors.map((tensor) => {
    const name = Buffer.from(tensor.name);
    const record = Buffer.alloc(8 + name.length + 4 + 8 * tensor.shape.length + 4 + 8);
    let at = record.writeBigUInt64LE(BigInt(name.length), 0);
    at += name.copy(record, at);
    at = record.writeUInt32LE(tensor.shape.length, at);
    for (const length of tensor.shape) at = record.writeBigUInt64LE(BigInt(length), at);
    at = record.writeUInt32LE(tensor.isFloat32 ? GGMLQuantizationType.F32 : GGMLQuantizationType.F16, at);
    record.writeBigUInt64LE(BigInt(offset), at);
    const size = sizeOf(tensor);
    offset += size + paddingOf(size);
    return new Uint8Array(record);
  });
  return { blob: new Blob(records), bytes: offset };
}

async function writeAll(
  path: string,
  header: Uint8Array,
  tensors: readonly Tensor[],
  seed: number,
): Promise<void> {
  const file = await open(path, 'w');
  const random = seededRandom(seed + 1);
  // Uniform noise of unit variance.
  const tile = Float32Array.from({ length: TILE_LENGTH }, () => (random() * 2 - 1) * Math.sqrt(3));
  const tiles = new Map<string, Buffer>();
  const noiseTile = (scale: number, half: boolean): Buffer => {
    const key = `${scale}/${half}`;
    const known =
      tiles.get(key) ??
      encode(
        tile.map((value) => value * scale),
        half,
      );
    tiles.set(key, known);
    return known;
  };
  try {
    await file.write(header);
    for (const tensor of tensors) {
      const size = sizeOf(tensor);
      await writeTensor(file, tensor, size, noiseTile, random);
      await file.write(Buffer.alloc(paddingOf(size)));
    }
  } finally {
    await file.close();
  }
}

async function writeTensor(
  file: FileHandle,
  { fill, isFloat32, shape }: Tensor,
  size: number,
  noiseTile: (scale: number, half: boolean) => Buffer,
  random: () => number,
): Promise<void> {
  const half = !isFloat32;
  if (fill.kind === 'constant') {
    await file.write(encode(new Float32Array(shape[0] ?? 0).fill(fill.value), half));
  } else if (fill.kind === 'rows') {
    const rows = Array.from({ length: shape[1] ?? 0 }, (_, row) => encode(fill.row(row), half));
    await file.write(Buffer.concat(rows));
  } else {
    const tile = noiseTile(fill.scale, half);
    let from = Math.floor(random() * (TILE_LENGTH / 4)) * 4;
    for (let left = size; left > 0;) {
      const count = Math.min(left, tile.length - from);
      await file.write(tile, from, count);
      left -= count;
      from = 0;
    }
  }
}
