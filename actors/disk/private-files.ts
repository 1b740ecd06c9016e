import { constants } from 'node:fs';
import { lstat, mkdir, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Nobody but us may look into what Corral keeps. */
export const PRIVATE_FOLDER = 0o700;
export const PRIVATE_FILE = 0o600;

/** Makes a folder if it is not there. Rejects when something else is: a link is not followed. */
export async function makePrivateFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: PRIVATE_FOLDER });
  } catch (error) {
    // One of its parents may be a file, too: both are said in the same way.
    throw codeOf(error) === 'EEXIST' ? noFolder(path) : error;
  }
  if (!(await lstat(path)).isDirectory()) throw noFolder(path);
}

/** Opens a file to append to it, and makes it and its folder if need be. Rejects for links, pipes and the like. */
export async function openToAppend(path: string): Promise<FileHandle> {
  const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
  const openIt = (): Promise<FileHandle> =>
    open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, PRIVATE_FILE);
  const file = await openIt().catch(async () => {
    await makePrivateFolder(dirname(path));
    return openIt();
  });
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw new Error(`${path} is no file`);
}

/** Writes a file as a whole: who reads it sees what was there before or all of this, also after a crash. */
export async function writeWhole(path: string, text: string): Promise<void> {
  await makePrivateFolder(dirname(path));
  const draft = `${path}.${process.pid}.new`;
  await rm(draft, { force: true });
  try {
    const file = await open(draft, 'wx', PRIVATE_FILE);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true }).catch(() => {});
    throw error;
  }
}

const noFolder = (path: string): Error =>
  Object.assign(new Error(`${path} is no folder, or a link to one`), { code: 'ENOTDIR' });

const codeOf = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : undefined;
