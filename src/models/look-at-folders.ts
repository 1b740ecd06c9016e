import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { markOf } from '../files/follow-file.ts';
import { listFiles } from './discover/list-files.ts';
import { scanFolders } from './scan-folders.ts';

/** As deep as a Hugging Face cache has its snapshots, with a folder for each quantisation. */
const STORE_DEPTH = 6;
/** Files of a store that say which models it has: models themselves, manifests, and what a cache's refs point to. */
const TELLING = /\.gguf$|(?:^|\/)(?:manifests|refs)\/|^manifest=/i;

export interface Places {
  readonly folders: readonly string[];
  /** Where other programs keep models. */
  readonly stores: readonly string[];
}

/** Which models lie in folders and stores, as a text that is equal as long as they are the same. */
export async function lookAtFolders({ folders, stores }: Places): Promise<string> {
  const { all, warnings } = await scanFolders(folders);
  const kept = await Promise.all(stores.map(tellingFiles));
  const marks = await Promise.all([...all, ...kept.flat()].map(markAt));
  return [...marks, ...warnings].join('\n');
}

/** None where nothing can be read: whoever reads the store tells of that. */
async function tellingFiles(store: string): Promise<readonly string[]> {
  const files = await listFiles(store, STORE_DEPTH).catch(() => []);
  return files.filter((path) => TELLING.test(path)).map((path) => join(store, path));
}

const markAt = async (path: string): Promise<string> => {
  const mark = await stat(path, { bigint: true }).then(markOf, () => 'gone');
  return `${path} ${mark}`;
};
