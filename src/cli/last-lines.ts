import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';

/** Enough for a thousand lines of usual length. */
const MOST_BYTES = 512 * 1024;

/** The last lines of a text file, of its last 512 KiB; none where there is no such file. */
export function lastLines(path: string, count: number): readonly string[] {
  if (count === 0 || !statSync(path, { throwIfNoEntry: false })?.isFile()) return [];
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const bytes = Buffer.alloc(Math.min(size, MOST_BYTES));
    readSync(file, bytes, 0, bytes.length, size - bytes.length);
    const lines = bytes.toString().split('\n');
    // The first may have lost its beginning, the last is what follows the last line's end.
    return lines.slice(size > MOST_BYTES ? 1 : 0, -1).slice(-count);
  } finally {
    closeSync(file);
  }
}
