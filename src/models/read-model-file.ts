import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Failure } from '../../machines/failures.ts';
import type { ModelShape } from '../../machines/planning/memory-need.ts';
import type { SizedTensor } from '../../machines/planning/need-parts.ts';
import { OddFileError } from '../files/read-file.ts';
import { systemReason } from '../system-reason.ts';
import { GgufKeys } from './gguf-keys.ts';
import { isEmbeddingModel, isReranker, shapeOf } from './model-shape.ts';
import type { GgufHeader } from './parse-gguf-header.ts';
import { readGgufHeader } from './read-gguf-header.ts';
import { tensorBytes } from './tensor-bytes.ts';

/** What Corral wants to know of a model's file. */
export interface ModelFile {
  readonly path: string;
  /** All parts together. */
  readonly bytes: number;
  readonly modifiedAtMs: number;
  readonly architecture: string;
  readonly title: string;
  readonly isEmbedding: boolean;
  readonly isReranker: boolean;
  readonly hasChatTemplate: boolean;
  readonly shape: ModelShape;
  /** Of its first part, those whose type is known here. */
  readonly tensors: readonly SizedTensor[];
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

const PART = /-(\d{5})-of-(\d{5})\.gguf$/;

/**
 * Reads the header of a GGUF file, of its first part when it is split. Throws a `ModelFileError` when the file is not there,
 * cannot be opened, is no GGUF file, or is cut off.
 */
export async function readModelFile(path: string): Promise<ModelFile> {
  const { size, mtimeMs } = await statOrThrow(path);
  const header = await headerOrThrow(path);
  checkWhole(path, size, header);
  const bytes = await allParts(path, size);
  return { path, bytes, modifiedAtMs: mtimeMs, ...factsOrThrow(path, header, bytes) };
}

function factsOrThrow(
  path: string,
  header: GgufHeader,
  bytes: number,
): Omit<ModelFile, 'path' | 'bytes' | 'modifiedAtMs'> {
  const keys = new GgufKeys(header.pairs);
  try {
    return {
      architecture: keys.architecture,
      title: keys.text('general.name') ?? basename(path, '.gguf'),
      isEmbedding: isEmbeddingModel(keys),
      isReranker: isReranker(keys),
      hasChatTemplate: keys.text('tokenizer.chat_template') !== null,
      shape: shapeOf(header, bytes),
      tensors: header.tensors.map((tensor) => ({ name: tensor.name, bytes: tensorBytes(tensor) ?? 0 })),
    };
  } catch (error) {
    throw invalid(path, textOf(error), error);
  }
}

async function statOrThrow(path: string): Promise<{ size: number; mtimeMs: number }> {
  try {
    return await stat(path);
  } catch (error) {
    throw unopened(path, error);
  }
}

async function headerOrThrow(path: string): Promise<GgufHeader> {
  try {
    return await readGgufHeader(path);
  } catch (error) {
    // The system's errors have a code: the file could not be opened or read. All others are about what was read.
    const isUnopened = error instanceof OddFileError || (error instanceof Error && 'code' in error);
    if (isUnopened) throw unopened(path, error);
    throw invalid(path, textOf(error), error);
  }
}

/** The data of the last tensor has to be there to its end: a broken download lacks it. */
function checkWhole(path: string, size: number, { tensors, dataOffsetBytes }: GgufHeader): void {
  for (const tensor of tensors) {
    const from = dataOffsetBytes + tensor.offsetBytes;
    // Of a type that is unknown here, at least the first byte.
    const end = from + (tensorBytes(tensor) ?? 1);
    if (end > size)
      throw invalid(path, `it is cut off: ${tensor.name} ends at byte ${end}, the file has ${size}`);
  }
}

const unopened = (path: string, cause: unknown): ModelFileError =>
  new ModelFileError('model_file_missing', `${path} cannot be opened: ${systemReason(cause)}`, { cause });

const invalid = (path: string, reason: string, cause?: unknown): ModelFileError =>
  new ModelFileError('model_file_invalid', `${path} is not a usable model: ${reason}.`, { cause });

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Size of a model in all: `name-00001-of-00003.gguf` stands for three files, which all have to be there. */
async function allParts(path: string, size: number): Promise<number> {
  const count = Number(PART.exec(path)?.[2] ?? 1);
  if (count === 1) return size;
  const folder = dirname(path);
  const prefix = basename(path).replace(PART, '');
  const names = await readdir(folder).catch((error: unknown) => {
    throw unopened(path, error);
  });
  const parts = names.filter(
    (name) => Number(PART.exec(name)?.[2]) === count && name.replace(PART, '') === prefix,
  );
  if (parts.length < count)
    throw new ModelFileError('model_file_missing', `${path} has ${parts.length} of its ${count} parts.`);
  let bytes = 0;
  for (const name of parts) bytes += (await statOrThrow(join(folder, name))).size;
  return bytes;
}
