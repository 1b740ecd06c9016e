import { closeSync, constants, fstatSync, openSync, readSync, statSync, type Stats } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';

/** Larger than any text that people or programs write for Corral to read; what is larger is not such a file. */
export const LONGEST_TEXT_BYTES = 1024 ** 2;
const PIECE_BYTES = 64 * 1024;

/** A pipe without a writer would hold whoever opens it, for ever; a regular file is opened and read as always. */
const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK;

/** What is there under the name of a file cannot be read as one: it is a folder, a pipe, too large, or being written. */
export class OddFileError extends Error {
  override readonly name = 'OddFileError';
}

/**
 * The whole of a regular file. Throws the system's error, and an `OddFileError` for what is no such file, for one of more than
 * `mostBytes`, and for one that changes while it is read. Pipes, devices and folders are not opened.
 */
export function readFileBytes(path: string, mostBytes = LONGEST_TEXT_BYTES): Buffer {
  assertRegular(statSync(path));
  const file = openSync(path, FLAGS);
  try {
    const before = fstatSync(file);
    assertSmall(assertRegular(before).size, mostBytes);
    const bytes = readToEnd(file, mostBytes);
    assertSame(before, fstatSync(file));
    return bytes;
  } finally {
    closeSync(file);
  }
}

/** Piece by piece: some of the system's own files tell a size of 0 and hold more. */
function readToEnd(file: number, mostBytes: number): Buffer {
  const pieces: Buffer[] = [];
  for (let total = 0; ;) {
    const piece = Buffer.allocUnsafe(PIECE_BYTES);
    const count = readSync(file, piece);
    if (count === 0) return Buffer.concat(pieces);
    total += count;
    assertSmall(total, mostBytes);
    pieces.push(piece.subarray(0, count));
  }
}

export const readFileText = (path: string, mostBytes?: number): string =>
  readFileBytes(path, mostBytes).toString('utf8');

/** The same without holding up anything else meanwhile. Rejects as the other throws. */
export async function readFileTextAsync(path: string, mostBytes = LONGEST_TEXT_BYTES): Promise<string> {
  const file = await openFile(path);
  try {
    const before = await file.stat();
    assertSmall(before.size, mostBytes);
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(before.size), { position: 0 });
    assertSame(before, await file.stat());
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Opens a regular file for reading, of whatever size. Rejects with the system's error, or an `OddFileError`. */
export async function openFile(path: string): Promise<FileHandle> {
  assertRegular(await stat(path));
  const file = await open(path, FLAGS);
  try {
    assertRegular(await file.stat());
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

function assertRegular(found: Stats): Stats {
  if (found.isFile()) return found;
  throw new OddFileError(`it is ${kindOf(found)}, not a file`);
}

function kindOf(found: Stats): string {
  if (found.isDirectory()) return 'a folder';
  if (found.isFIFO()) return 'a named pipe';
  if (found.isSocket()) return 'a socket';
  return 'a device';
}

function assertSmall(bytes: number, mostBytes: number): void {
  if (bytes > mostBytes)
    throw new OddFileError(`it has ${bytes} bytes or more, too many for what it should hold`);
}

function assertSame(before: Stats, after: Stats): void {
  if (before.size !== after.size || before.mtimeMs !== after.mtimeMs)
    throw new OddFileError('it was written to while it was read');
}
