import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Failure } from '../../machines/failures.ts';
import type { ModelShape } from '../../machines/planning/memory-need.ts';
import type { SizedTensor } from '../../machines/planning/need-parts.ts';
import { OddFileError } from '../files/read-file.ts';
import { systemReason } from '../system-reason.ts';
import { fileKindOf, type FileKind } from './file-kind.ts';
import { GgufKeys } from './gguf-keys.ts';
import { isEmbeddingModel, isReranker, shapeOf } from './model-shape.ts';
import type { GgufHeader } from './parse-gguf-header.ts';
import { readGgufHeader } from './read-gguf-header.ts';
import { partName, splitName } from './split-name.ts';
import { tensorBytes } from './tensor-bytes.ts';

/** What Corral wants to know of a model's file. */
export interface ModelFile {
  readonly path: string;
  /** All parts together. */
  readonly bytes: number;
  readonly modifiedAtMs: number;
  readonly kind: FileKind;
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

/**
 * Reads the header of a GGUF file, of its first part when it is split. Throws a `ModelFileError` when the file is not there,
 * cannot be opened, is no GGUF file, or is cut off.
 */
export async function readModelFile(path: string): Promise<ModelFile> {
  await checkParts(path);
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
      kind: fileKindOf(header),
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

/** `name-00001-of-00003.gguf` stands for three files, which all have to be there; those that are not are named. */
async function checkParts(path: string): Promise<void> {
  const missing: string[] = [];
  const parts = partsOf(path);
  if (parts.length === 1) return;
  const there = new Set(
    await readdir(dirname(path)).catch((error: unknown) => {
      throw unopened(path, error);
    }),
  );
  for (const part of parts) if (!there.has(part)) missing.push(part);
  if (missing.length === 0) return;
  const has = `${path} has ${parts.length - missing.length} of its ${parts.length} parts.`;
  const few = missing.slice(0, MOST_NAMED).join(', ');
  const more = missing.length > MOST_NAMED ? ` and ${missing.length - MOST_NAMED} more` : '';
  throw new ModelFileError('model_file_missing', `${has} There is no ${few}${more}.`);
}

const MOST_NAMED = 3;

function partsOf(path: string): readonly string[] {
  const name = splitName(path);
  if (name === null || name.parts <= 1) return [basename(path)];
  return Array.from({ length: name.parts }, (_, index) => partName(name, index + 1));
}

/** Size of a model in all. */
async function allParts(path: string, size: number): Promise<number> {
  const parts = partsOf(path);
  if (parts.length === 1) return size;
  let bytes = 0;
  for (const part of parts) bytes += (await statOrThrow(join(dirname(path), part))).size;
  return bytes;
}
