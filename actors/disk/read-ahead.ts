import { constants } from 'node:fs';
import { open, statfs } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fromCallback } from 'xstate';
import type { Effects, ReadAheadSpec } from '../../machines/effects.ts';
import { readCpu } from '../probes/cpu.ts';

const CHUNK_BYTES = 4 * 1024 ** 2;
/** Between two chunks: whoever else reads from the disk comes first. */
const REST_MS = 1;
/** Of main memory that programs could have, so much may be filled at most: the rest is for what is loaded and for other files. */
const MOST_SHARE = 0.5;
/** Files that are in memory already: tmpfs and ramfs. */
const IN_MEMORY: ReadonlySet<number> = new Set([0x01021994, 0x858458f6]);

/**
 * Reads a model's file while others make room for it, so that the system has it in its page cache when its process asks: as far as main memory
 * has room, one chunk after the other, until it is stopped. What cannot be read is the load's business, and told by it.
 */
export const createReadAhead = (freeBytes = freeMainMemory): Effects['readAhead'] =>
  fromCallback<{ type: 'none' }, ReadAheadSpec>(({ input: { path } }) => {
    const stop = new AbortController();
    void readInto(path, freeBytes, stop.signal).catch(() => {});
    return () => stop.abort();
  });

/** How much was read of a file, in bytes. Rejects when it cannot be read. */
export async function readInto(
  path: string,
  freeBytes: () => Promise<number | null>,
  signal: AbortSignal,
): Promise<number> {
  const [{ type }, free] = await Promise.all([statfs(path), freeBytes()]);
  if (IN_MEMORY.has(type) || free === null) return 0;
  const mostBytes = free * MOST_SHARE;
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!(await file.stat()).isFile()) return 0;
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    let bytes = 0;
    while (!signal.aborted && bytes + CHUNK_BYTES <= mostBytes) {
      const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, bytes);
      if (bytesRead === 0) break;
      bytes += bytesRead;
      await sleep(REST_MS);
    }
    return bytes;
  } finally {
    await file.close();
  }
}

const freeMainMemory = async (): Promise<number | null> => (await readCpu()).freeBytes;
