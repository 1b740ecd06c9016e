import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { systemReason } from '../system-reason.ts';

/** Deep enough for every model collection seen. Links to folders are not followed, so there are no loops. */
const DEEPEST = 6;
const LATER_PART = /-(?!00001)\d{5}-of-\d{5}\.gguf$/;
const FIRST_PART = /-00001-of-\d{5}$/;

export interface FoundModel {
  /** The file's name without `.gguf` and without the suffix of a first part. */
  readonly name: string;
  readonly path: string;
}

export interface Scan {
  readonly models: readonly FoundModel[];
  /** Folders that could not be read, and why. */
  readonly warnings: readonly string[];
}

/** Finds model files below folders, in a stable order. Projectors and later parts of split files are no models. */
export async function scanFolders(folders: readonly string[]): Promise<Scan> {
  const models: FoundModel[] = [];
  const warnings: string[] = [];
  for (const folder of folders) await scan(folder, 0, models, warnings);
  return { models, warnings };
}

async function scan(folder: string, depth: number, models: FoundModel[], warnings: string[]): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    warnings.push(`${folder} cannot be read: ${systemReason(error)}`);
    return [];
  });
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && depth < DEEPEST) await scan(path, depth + 1, models, warnings);
    else if (isModel(entry.name) && !entry.isDirectory())
      models.push({ name: basename(path, '.gguf').replace(FIRST_PART, ''), path });
  }
}

const isModel = (name: string): boolean =>
  name.endsWith('.gguf') && !/mmproj/i.test(name) && !LATER_PART.test(name);
