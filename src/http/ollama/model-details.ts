import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { GGMLFileQuantizationType } from '@huggingface/gguf';
import { GgufKeys } from '../../models/gguf-keys.ts';
import type { GgufHeader } from '../../models/parse-gguf-header.ts';
import { readGgufHeader } from '../../models/read-gguf-header.ts';

/** What a model's file says of it. */
export interface ModelDetails {
  readonly fileName: string;
  readonly bytes: number;
  readonly modifiedAt: Date;
  readonly architecture: string;
  /** `7.2B`, `137M`. */
  readonly parameterSize: string;
  readonly parameterCount: number;
  /** `Q4_K_M`; empty when it is unknown. */
  readonly quantization: string;
  readonly chatTemplate: string;
  readonly license: string;
  /** Another template, for conversations with tools; empty without one. */
  readonly toolTemplate: string;
  /** Where the header ends. */
  readonly headerBytes: number;
  /** The header names the tokens of an infill. They may also be found by their texts: see `hasInfillTokens`. */
  readonly namesInfillTokens: boolean;
  /** The context that it was trained with; null if unknown. */
  readonly trainedContextTokens: number | null;
  /** Numbers of one embedding, and of what goes from layer to layer; null if unknown. */
  readonly embeddingLength: number | null;
  /** The header's pairs, lists as null. */
  readonly info: Readonly<Record<string, unknown>>;
}

const MAX_KEPT = 1_024;

/** Reads what models' files say of them, each file once for as long as it stays the same. */
export class ModelFacts {
  readonly #known = new Map<string, ModelDetails>();

  /** Null when the file cannot be read. */
  async of(path: string): Promise<ModelDetails | null> {
    try {
      const { size, mtime } = await stat(path);
      const known = this.#known.get(path);
      if (known?.bytes === size && known.modifiedAt.getTime() === mtime.getTime()) return known;
      const details = detailsOf(await readGgufHeader(path), { path, bytes: size, modifiedAt: mtime });
      if (this.#known.size >= MAX_KEPT) this.#known.clear();
      this.#known.set(path, details);
      return details;
    } catch {
      return null;
    }
  }
}

const detailsOf = (
  header: GgufHeader,
  { path, bytes, modifiedAt }: { readonly path: string; readonly bytes: number; readonly modifiedAt: Date },
): ModelDetails => {
  const keys = new GgufKeys(header.pairs);
  const parameterCount = header.tensors.reduce((sum, { elements }) => sum + elements, 0);
  const fileType = header.pairs.get('general.file_type');
  return {
    fileName: basename(path),
    bytes,
    modifiedAt,
    architecture: keys.architecture,
    parameterCount,
    parameterSize: shortNumber(parameterCount),
    quantization: typeof fileType === 'number' ? (GGMLFileQuantizationType[fileType] ?? '') : '',
    chatTemplate: keys.text('tokenizer.chat_template') ?? '',
    license: keys.text('general.license') ?? '',
    toolTemplate: keys.text('tokenizer.chat_template.tool_use') ?? '',
    headerBytes: header.dataOffsetBytes,
    namesInfillTokens:
      header.pairs.has('tokenizer.ggml.fim_pre_token_id') ||
      header.pairs.has('tokenizer.ggml.prefix_token_id'),
    trainedContextTokens: keys.count('context_length'),
    embeddingLength: keys.count('embedding_length'),
    info: Object.fromEntries(
      [...header.pairs].map(([name, value]) => [name, typeof value === 'object' ? null : value]),
    ),
  };
};

const units = [
  ['B', 1e9],
  ['M', 1e6],
  ['K', 1e3],
] as const;

/** A count as models are named after it: `7.2B`, `494M`. */
export const shortNumber = (count: number): string => {
  const [unit, size] = units.find(([, least]) => count >= least) ?? ['', 1];
  const amount = count / size;
  return `${amount < 100 && size > 1 ? Math.round(amount * 10) / 10 : Math.round(amount)}${unit}`;
};
