import { formatBytes } from '../../machines/vocabulary.ts';

/** Left free for everybody else. */
const SPARE_BYTES = 100 * 1024 ** 2;

/** As `fs.statfs` answers: blocks that are free for us, and their size. */
export type Statfs = (folder: string) => Promise<{ readonly bavail: number; readonly bsize: number }>;

/** Throws an Error with the numbers when a folder's disk cannot take so many bytes more. */
export async function checkSpace(folder: string, bytes: number, statfs: Statfs): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  if (bytes > 0 && free < bytes + SPARE_BYTES)
    throw new Error(
      `${folder} has ${formatBytes(free)} free; ${formatBytes(bytes)} are to come, and ${formatBytes(SPARE_BYTES)} stay free.`,
    );
}
