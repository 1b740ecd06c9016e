import { open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { gguf, type GGUFTensorInfo } from '@huggingface/gguf';
import type { Failure } from '../../machines/failures.ts';
import type { ModelShape } from '../../machines/planning/memory-need.ts';

/** What Corral wants to know of a model's file. */
export interface ModelFile {
  readonly path: string;
  /** All parts together. */
  readonly bytes: number;
  readonly modifiedAtMs: number;
  readonly architecture: string;
  readonly title: string;
  readonly isEmbedding: boolean;
  readonly shape: ModelShape;
}

/** A model file that cannot be used, and why. */
export class ModelFileError extends Error {
  override readonly name = 'ModelFileError';
  readonly failure: Failure;

  constructor(code: 'model_file_missing' | 'model_file_invalid', message: string, options?: ErrorOptions) {
    super(message, options);
    this.failure = { code, message };
  }
}

const MAGIC = 'GGUF';
const PART = /-(\d{5})-of-(\d{5})\.gguf$/;
/** Architectures that only embed, whatever else their header says. */
const EMBEDDING_ARCHITECTURES = /bert|t5encoder|gemma-embedding/;

/**
 * Reads the header of a GGUF file, of its first part when it is split. Throws a `ModelFileError` when the file is not there, is
 * no GGUF file, or is cut off.
 */
export async function readModelFile(path: string): Promise<ModelFile> {
  const { size, mtimeMs } = await statOrThrow(path);
  await checkMagic(path);
  const header = await gguf(path, { allowLocalFile: true }).catch((error: unknown) => {
    throw invalid(
      path,
      `its header cannot be read (${error instanceof Error ? error.message : String(error)})`,
    );
  });
  checkWhole(path, size, Number(header.tensorDataOffset), header.tensorInfos);
  const bytes = await allParts(path, size);
  const keys = new Keys(header.metadata as unknown as Record<string, unknown>);
  return {
    path,
    bytes,
    modifiedAtMs: mtimeMs,
    architecture: keys.architecture,
    title: keys.text('general.name') ?? basename(path, '.gguf'),
    isEmbedding: EMBEDDING_ARCHITECTURES.test(keys.architecture) || keys.number('pooling_type') !== null,
    shape: shapeOf(keys, bytes),
  };
}

function shapeOf(keys: Keys, weightsBytes: number): ModelShape {
  const layers = keys.number('block_count') ?? 0;
  const embeddingLength = keys.number('embedding_length') ?? 0;
  const heads = Math.max(1, ...keys.perLayer('attention.head_count', layers));
  const kvHeads = keys.perLayer('attention.head_count_kv', layers);
  const headLength = embeddingLength / heads;
  return {
    weightsBytes,
    layers,
    embeddingLength,
    feedForwardLength: Math.max(0, ...keys.perLayer('feed_forward_length', layers)),
    heads,
    kvHeads: kvHeads.length > 0 ? kvHeads : keys.perLayer('attention.head_count', layers),
    keyLength: keys.number('attention.key_length') ?? headLength,
    valueLength: keys.number('attention.value_length') ?? headLength,
    vocabulary: keys.number('vocab_size') ?? keys.length('tokenizer.ggml.tokens'),
    trainedContextTokens: keys.number('context_length') ?? 0,
    // Which layers slide differs by architecture; counting them all as full is the safe side.
    slidingWindowTokens: null,
  };
}

/** The header's key-value pairs; names without a dot-separated prefix of their own belong to the architecture. */
class Keys {
  readonly architecture: string;
  readonly #pairs: Record<string, unknown>;

  constructor(pairs: Record<string, unknown>) {
    this.#pairs = pairs;
    this.architecture = this.text('general.architecture') ?? 'unknown';
  }

  text(name: string): string | null {
    const value = this.#pairs[name];
    return typeof value === 'string' ? value : null;
  }

  number(name: string): number | null {
    const value = this.#value(name);
    return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : null;
  }

  /** A number that may be given once for all layers, or for each. */
  perLayer(name: string, layers: number): number[] {
    const value = this.#value(name);
    if (Array.isArray(value)) return value.map(Number);
    const number = this.number(name);
    return number === null ? [] : Array.from({ length: layers }, () => number);
  }

  length(name: string): number {
    const value = this.#pairs[name];
    return Array.isArray(value) ? value.length : 0;
  }

  #value(name: string): unknown {
    return this.#pairs[`${this.architecture}.${name}`];
  }
}

async function statOrThrow(path: string): Promise<{ size: number; mtimeMs: number }> {
  try {
    const found = await stat(path);
    if (!found.isFile()) throw new Error('it is not a file');
    return found;
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw new ModelFileError('model_file_missing', `${path} cannot be opened: ${text}`, { cause: error });
  }
}

async function checkMagic(path: string): Promise<void> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
    const magic = buffer.subarray(0, bytesRead).toString('latin1');
    if (magic !== MAGIC)
      throw invalid(path, `it begins with ${JSON.stringify(magic)}, a GGUF file with "GGUF"`);
  } finally {
    await file.close();
  }
}

/** Where the last tensor begins tells of files that were cut off, by a broken download for instance. */
function checkWhole(
  path: string,
  size: number,
  dataOffset: number,
  tensors: readonly GGUFTensorInfo[],
): void {
  const lastStart = tensors.reduce((last, { offset }) => Math.max(last, Number(offset)), 0) + dataOffset;
  if (tensors.length > 0 && lastStart >= size)
    throw invalid(path, `it is cut off: a tensor begins at byte ${lastStart}, the file has ${size}`);
}

const invalid = (path: string, reason: string): ModelFileError =>
  new ModelFileError('model_file_invalid', `${path} is not a usable model: ${reason}.`);

/** Size of a model in all: `name-00001-of-00003.gguf` stands for three files, which all have to be there. */
async function allParts(path: string, size: number): Promise<number> {
  const count = Number(PART.exec(path)?.[2] ?? 1);
  if (count === 1) return size;
  const folder = dirname(path);
  const prefix = basename(path).replace(PART, '');
  const parts = (await readdir(folder)).filter(
    (name) => PART.test(name) && name.replace(PART, '') === prefix,
  );
  if (parts.length < count)
    throw new ModelFileError('model_file_missing', `${path} has ${parts.length} of its ${count} parts.`);
  const sizes = await Promise.all(parts.map(async (name) => (await stat(join(folder, name))).size));
  return sizes.reduce((sum, bytes) => sum + bytes, 0);
}
