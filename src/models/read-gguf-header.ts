import type { FileHandle } from 'node:fs/promises';
import { openFile } from '../files/read-file.ts';
import { parseGgufHeader, type GgufHeader } from './parse-gguf-header.ts';

/** Most headers of small vocabularies fit into this; it doubles until the header fits. */
const FIRST_READ_BYTES = 1 << 20;
/** Far above any header seen (some 20 MB): what needs more is not a header. */
const LONGEST_HEADER_BYTES = 1 << 26;

/**
 * Reads the header of a GGUF file without reading its data. One file at a time, however many are asked for, so that a folder of
 * models costs the memory of one header. Throws an Error that says what is wrong.
 */
export function readGgufHeader(path: string): Promise<GgufHeader> {
  const header = last.then(async () => {
    const file = await openFile(path);
    try {
      return await growUntilRead(file);
    } finally {
      await file.close();
    }
  });
  last = header.then(
    () => {},
    () => {},
  );
  return header;
}

let last: Promise<void> = Promise.resolve();

async function growUntilRead(file: FileHandle): Promise<GgufHeader> {
  const { size } = await file.stat();
  for (let length = FIRST_READ_BYTES; ; length *= 2) {
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(Math.min(length, size)), {
      position: 0,
    });
    const header = parseGgufHeader(buffer.subarray(0, bytesRead));
    if (header !== null) return header;
    if (length >= size) throw new Error(`it is cut off within its header, at byte ${size}`);
    if (length >= LONGEST_HEADER_BYTES) throw new Error(`its header does not end`);
  }
}
