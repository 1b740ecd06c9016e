import { join } from 'node:path';
import { z } from 'zod';
import { readFileTextAsync } from '../../files/read-file.ts';
import { plainModel, type DiscoveredModel, type Discovery } from './discovered-model.ts';
import { sortGgufFiles } from './gguf-names.ts';
import { readHuggingFaceCache } from './hugging-face-cache.ts';
import { listFiles, textOf } from './list-files.ts';

const MANIFEST = /^manifest=([^=]+)=([^=]+)=([^=]+)\.json$/;
const fileSchema = z.object({ rfilename: z.string() });
const manifestSchema = z.object({ ggufFile: fileSchema, mmprojFile: fileSchema.nullish() });

/** What a manifest in llama.cpp's cache tells: `-hf user/repo:tag`, and the files that were downloaded for it. */
export interface LlamaCppManifest {
  /** `user/repo:tag`. */
  readonly name: string;
  /** Names of files in the cache. */
  readonly model: string;
  readonly projector: string | null;
}

/**
 * Models that `llama-server -hf` has downloaded. Older versions keep files and manifests side by side, newer ones the
 * layout of Hugging Face's cache; both are read. Throws the system's error when the folder cannot be read.
 */
export async function readLlamaCppCache(folder: string): Promise<Discovery> {
  const files = await listFiles(folder, 1);
  const { models, warnings } = await readHuggingFaceCache(folder);
  const flat = await readFlat(folder, files);
  return { models: [...flat.models, ...models], warnings: [...flat.warnings, ...warnings] };
}

async function readFlat(folder: string, files: readonly string[]): Promise<Discovery> {
  const warnings: string[] = [];
  const byModel = new Map<string, LlamaCppManifest[]>();
  for (const file of files.filter((name) => MANIFEST.test(name)))
    try {
      const manifest = parseLlamaCppManifest(file, await readFileTextAsync(join(folder, file)));
      byModel.set(manifest.model, [...(byModel.get(manifest.model) ?? []), manifest]);
    } catch (error) {
      warnings.push(`${file} in llama.cpp's cache is passed over: ${textOf(error)}`);
    }
  const present = new Set(files);
  const models: DiscoveredModel[] = [];
  for (const { stem, paths, isWhole } of sortGgufFiles(files).models) {
    const [main, ...others] = byModel.get(paths[0]) ?? [];
    const name = main?.name ?? stem;
    const projector = main?.projector && present.has(main.projector) ? join(folder, main.projector) : null;
    const model = plainModel(name, join(folder, paths[0]), projector);
    if (isWhole) models.push({ ...model, aliases: others.map((other) => other.name) });
    else warnings.push(`${name} in llama.cpp's cache is left out: it is not all there`);
  }
  return { models, warnings };
}

/** Reads a manifest by its file's name and text. Throws an Error that says what is wrong with it. */
export function parseLlamaCppManifest(file: string, text: string): LlamaCppManifest {
  const [, user = '', repo = '', tag = ''] = MANIFEST.exec(file) ?? [];
  const parsed = manifestSchema.safeParse(JSON.parse(text));
  if (!parsed.success) throw new Error('it names no GGUF file');
  const { ggufFile, mmprojFile } = parsed.data;
  const cached = ({ rfilename }: { rfilename: string }): string =>
    `${user}_${repo}_${rfilename}`.replaceAll(/[\\/]/g, '_');
  return {
    name: `${user}/${repo}:${tag}`,
    model: cached(ggufFile),
    projector: mmprojFile ? cached(mmprojFile) : null,
  };
}
