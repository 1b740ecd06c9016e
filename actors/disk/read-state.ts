import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { z } from 'zod';

/** A file of state is some thousand entries long; anything larger was not written by Corral. */
const LONGEST_BYTES = 16 * 1024 ** 2;
const ASIDE = '.unreadable-';
/** So many files that were put aside are kept in a folder. */
const KEPT_ASIDE = 5;

/** Reads a file of state; null when there is none, and when `onOdd` was told why it cannot be used. Never throws. */
export function readState<T>(path: string, schema: z.ZodType<T>, onOdd: (reason: string) => void): T | null {
  try {
    return schema.parse(JSON.parse(textOf(path)));
  } catch (error) {
    if (!isMissing(error)) onOdd(reasonOf(error));
    return null;
  }
}

/**
 * Renames whatever lies at a path and cannot be used, and tells of it, so that Corral goes on without. Of what was put aside
 * before, the oldest goes.
 */
export function putAside(path: string, reason: string, onNote: (note: string) => void): void {
  const aside = `${path}${ASIDE}${new Date().toISOString().replaceAll(/[-:]/g, '')}`;
  try {
    renameSync(path, aside);
    onNote(`${path} cannot be used (${reason}). It was put aside as ${basename(aside)}.`);
  } catch (error) {
    onNote(`${path} cannot be used (${reason}), nor be put aside (${reasonOf(error)}).`);
    return;
  }
  forgetOldest(dirname(path));
}

/** Whether something was put aside before. */
export const isAside = (path: string): boolean => basename(path).includes(ASIDE);

/** Folders stay: nobody knows what is in them. */
function forgetOldest(folder: string): void {
  try {
    const names = readdirSync(folder, { withFileTypes: true })
      .filter((entry) => !entry.isDirectory() && isAside(entry.name))
      .map(({ name }) => name)
      .toSorted((a, b) => (a.slice(a.indexOf(ASIDE)) < b.slice(b.indexOf(ASIDE)) ? -1 : 1));
    for (const name of names.slice(0, -KEPT_ASIDE)) rmSync(join(folder, name), { force: true });
  } catch {
    // They are only too many.
  }
}

function textOf(path: string): string {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  // Without O_NONBLOCK a named pipe would keep us until somebody writes into it.
  const file = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    const seen = fstatSync(file);
    if (!seen.isFile()) throw new Error('it is no file');
    if (seen.size > LONGEST_BYTES) throw new Error(`it has ${seen.size} bytes`);
    const bytes = Buffer.alloc(seen.size);
    return bytes.toString('utf8', 0, readSync(file, bytes, 0, bytes.length, 0));
  } finally {
    closeSync(file);
  }
}

const codeOf = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : undefined;

const isMissing = (error: unknown): boolean => ['ENOENT', 'ENOTDIR'].includes(String(codeOf(error)));

function reasonOf(error: unknown): string {
  if (error instanceof SyntaxError) return 'it is no JSON';
  if (codeOf(error) === 'ELOOP') return 'it is a link';
  if (error instanceof Error && error.name === 'ZodError') return 'it has another shape';
  return error instanceof Error ? error.message : String(error);
}
