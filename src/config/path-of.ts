import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** A path as people write it: `~` is the home folder, and a relative one starts from the configuration's folder. */
export const pathOf = (folder: string, path: string): string =>
  path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : resolve(folder, path);
