import { stat } from 'node:fs/promises';
import { markOf } from '../files/follow-file.ts';
import { scanFolders } from './scan-folders.ts';

/** Which GGUF files lie below folders, as a text that is equal as long as they are the same. */
export async function lookAtFolders(folders: readonly string[]): Promise<string> {
  const { all, warnings } = await scanFolders(folders);
  const marks = await Promise.all(all.map((path) => stat(path, { bigint: true }).then(markOf, () => 'gone')));
  return [...all.map((path, index) => `${path} ${marks[index]}`), ...warnings].join('\n');
}
