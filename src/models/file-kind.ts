import { GgufKeys } from './gguf-keys.ts';
import type { GgufHeader } from './parse-gguf-header.ts';

/** What a GGUF file is. All but models are of use only together with one. */
export type FileKind =
  'model' | 'projector' | 'adapter' | 'control vector' | 'importance matrix' | 'vocabulary' | 'draft head';

/** Of files that are no models: what they are, and what they are for. */
export const kindInWords: Readonly<Record<Exclude<FileKind, 'model'>, string>> = {
  projector: 'a projector: name it as `projector:` of the model that sees through it',
  adapter: 'a LoRA adapter: name it in `adapters:` of the model that it was made for',
  'control vector': 'a control vector: `args: [--control-vector, FILE]` of a model takes it',
  'importance matrix': 'an importance matrix, which is for quantising models',
  vocabulary: 'a vocabulary without weights',
  'draft head': 'a head that drafts for another model: `args: [--model-draft, FILE]` of that takes it',
};

/** `general.type`, as converters write it; older files have none. */
const BY_TYPE: ReadonlyMap<string, FileKind> = new Map([
  ['adapter', 'adapter'],
  ['imatrix', 'importance matrix'],
  ['mmproj', 'projector'],
]);
const BY_ARCHITECTURE: ReadonlyMap<string, FileKind> = new Map([
  ['clip', 'projector'],
  ['controlvector', 'control vector'],
  // Both read the states of another model (llama.cpp's llama-arch.cpp).
  ['eagle3', 'draft head'],
  ['dflash', 'draft head'],
]);
/** Of a block that predicts the tokens after the next one. */
const BLOCK = /^blk\.(\d+)\./;
const HEAD_TENSOR = /^blk\.(\d+)\.nextn\./;

/** What a file is, by its type and architecture, else by its tensors. */
export function fileKindOf({ pairs, tensors }: GgufHeader): FileKind {
  const keys = new GgufKeys(pairs);
  const byName = BY_TYPE.get(keys.text('general.type') ?? '') ?? BY_ARCHITECTURE.get(keys.architecture);
  if (byName !== undefined) return byName;
  const names = tensors.map(({ name }) => name);
  const has = (pattern: RegExp): boolean => names.some((name) => pattern.test(name));
  if (pairs.has('adapter.type') || has(/\.lora_a$/)) return 'adapter';
  if (has(/\.in_sum2$/)) return 'importance matrix';
  if (has(/^direction\.\d+$/)) return 'control vector';
  // The first part of a split model may have no tensors of its own.
  if (names.length === 0 && pairs.has('tokenizer.ggml.tokens') && Number(pairs.get('split.count') ?? 1) <= 1)
    return 'vocabulary';
  return isDraftHead(names) ? 'draft head' : 'model';
}

/** Whether all blocks are of a multi-token prediction head; a model that brings one has others before it. */
function isDraftHead(names: readonly string[]): boolean {
  const numbersBy = (pattern: RegExp): Set<string> =>
    new Set(names.flatMap((name) => pattern.exec(name)?.[1] ?? []));
  const heads = numbersBy(HEAD_TENSOR);
  return heads.size > 0 && [...numbersBy(BLOCK)].every((block) => heads.has(block));
}
