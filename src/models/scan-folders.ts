import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemReason } from '../system-reason.ts';
import { partName, splitName } from './split-name.ts';

/** Deep enough for every model collection seen. */
const DEEPEST = 6;
/** Never another model's part, whatever else a file is called. */
const PROJECTOR = /mmproj/i;

export interface FoundFile {
  /** The file's name without extension, and without the suffix of a part. */
  readonly name: string;
  /** Of a split model its first part, be it there or not. */
  readonly path: string;
  /** The folder of the configuration that it was found below. */
  readonly root: string;
}

export interface Scan {
  /** Files that may be models: which are, their headers tell. */
  readonly files: readonly FoundFile[];
  /** Files whose name says that they are projectors. */
  readonly projectors: readonly string[];
  /** All GGUF files, later parts too. */
  readonly all: readonly string[];
  /** Folders and links that could not be read, and why. */
  readonly warnings: readonly string[];
}

/**
 * Finds GGUF files below folders, in a stable order: `.gguf` and `.GGUF`, links to files and folders too. A folder that several links
 * lead to is read once, so there are no loops. A split model counts once, and not with one that was cut otherwise.
 */
export async function scanFolders(folders: readonly string[]): Promise<Scan> {
  const scan: Scanning = {
    files: [],
    projectors: [],
    all: [],
    warnings: [],
    seen: new Set(),
    keys: new Set(),
  };
  for (const root of folders) await visit({ folder: root, root, depth: 0 }, scan);
  return scan;
}

interface Scanning {
  readonly files: FoundFile[];
  readonly projectors: string[];
  readonly all: string[];
  readonly warnings: string[];
  /** Folders by where they really are. */
  readonly seen: Set<string>;
  /** Models by the path of their first part. */
  readonly keys: Set<string>;
}

interface Place {
  readonly folder: string;
  readonly root: string;
  readonly depth: number;
}

async function visit({ folder, root, depth }: Place, scan: Scanning): Promise<void> {
  const entries = await entriesOf(folder, scan);
  const linked: string[] = [];
  for (const entry of entries) {
    const path = join(folder, entry.name);
    const leadsTo = await kindOf(entry, path);
    if (leadsTo === 'nothing') scan.warnings.push(`${path} is a link to nothing that is there`);
    else if (leadsTo !== 'folder') note(path, root, scan);
    else if (depth >= DEEPEST) continue;
    else if (entry.isSymbolicLink()) linked.push(path);
    else await visit({ folder: path, root, depth: depth + 1 }, scan);
  }
  // Last, so that what lies here is found under its own name, not under that of a link to it.
  for (const path of linked) await visit({ folder: path, root, depth: depth + 1 }, scan);
}

async function entriesOf(folder: string, { seen, warnings }: Scanning): Promise<readonly Dirent[]> {
  try {
    const place = await realpath(folder);
    if (seen.has(place)) return [];
    seen.add(place);
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    warnings.push(`${folder} cannot be read: ${systemReason(error)}`);
    return [];
  }
}

/** Of a link, what it leads to; links to nothing are told of only where they look like a model. */
async function kindOf(entry: Dirent, path: string): Promise<'folder' | 'file' | 'nothing'> {
  if (!entry.isSymbolicLink()) return entry.isDirectory() ? 'folder' : 'file';
  const target = await stat(path).catch(() => null);
  if (target === null) return splitName(path) === null ? 'file' : 'nothing';
  return target.isDirectory() ? 'folder' : 'file';
}

function note(path: string, root: string, { files, projectors, all, keys }: Scanning): void {
  const name = splitName(path);
  if (name === null) return;
  all.push(path);
  if (PROJECTOR.test(name.stem)) return void projectors.push(path);
  const first = name.parts === 1 ? path : join(path, '..', partName(name, 1));
  if (keys.has(first)) return;
  keys.add(first);
  files.push({ name: name.stem, path: first, root });
}
