import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { systemReason } from '../../system-reason.ts';

/** Far above any store seen; a folder that has more is not one. */
const MOST_FILES = 50_000;

/**
 * Files below a folder, as paths relative to it with `/`, in a stable order. Links to files count, links to folders are not
 * followed. Throws the system's error when the folder itself cannot be read; what lies deeper and cannot be read is a warning.
 */
export async function listFiles(
  folder: string,
  deepest: number,
  warnings: string[] = [],
): Promise<readonly string[]> {
  const files: string[] = [];
  const visit = async (below: string, depth: number): Promise<void> => {
    const entries = await readdir(join(folder, below), { withFileTypes: true });
    for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      if (entry.isDirectory()) {
        if (depth < deepest)
          await visit(path, depth + 1).catch((error: unknown) => warnings.push(unread(path, error)));
      } else if (files.length < MOST_FILES) files.push(path);
    }
  };
  await visit('', 1);
  return files;
}

/** `…/x cannot be read: reason`. */
export const unread = (path: string, error: unknown): string =>
  `${path} cannot be read: ${systemReason(error)}`;

export const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
