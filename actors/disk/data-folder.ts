import { chmodSync, lstatSync, mkdirSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { PRIVATE_FILE, PRIVATE_FOLDER } from './private-files.ts';
import { isAside, putAside } from './read-state.ts';

const DRAFT = /\.\d+\.new$/;
const DRAFT_MS = 3_600_000;

/** All that Corral has in its data folder, by the beginnings of names. */
const OURS = ['processes', 'logs', 'learned.json', 'conversations', 'demo'];

/**
 * Makes the data folder, and sees to it that nobody else can look into what Corral keeps there. The folder itself may be a
 * link, what is in it may not. Returns where it really is; when it cannot be used that is told, and Corral remembers nothing.
 */
export function openDataFolder(path: string, onNote: (note: string) => void): string {
  try {
    mkdirSync(path, { recursive: true, mode: PRIVATE_FOLDER });
    const folder = realpathSync(path);
    const names = readdirSync(folder);
    const ours = names.filter((name) => OURS.some((own) => name.startsWith(own)));
    if (ours.length === names.length) closeToOthers(folder, onNote);
    else if ((lstatSync(folder).mode & 0o022) !== 0)
      onNote(`${folder} can be written to by others, and holds more than Corral's data: chmod go-w it.`);
    for (const name of ours) if (name !== 'demo') tidy(join(folder, name), onNote);
    return folder;
  } catch (error) {
    onNote(
      `The data folder ${path} cannot be used: ${textOf(error)}. ` + 'Nothing is remembered until it can.',
    );
    return path;
  }
}

/** Of a folder of ours also what is in it. */
function tidy(path: string, onNote: (note: string) => void, isInside = false): void {
  const seen = lstatSync(path, { throwIfNoEntry: false });
  if (seen === undefined || isAside(path)) return;
  if (seen.isSymbolicLink()) return putAside(path, 'it is a link', onNote);
  closeToOthers(path, onNote);
  if (seen.isDirectory() && !isInside)
    for (const name of readdirSync(path)) tidy(join(path, name), onNote, true);
  // What a crash has left of a write; one that is being written, by another Corral perhaps, is younger.
  if (DRAFT.test(path) && Date.now() - seen.mtimeMs > DRAFT_MS) rmSync(path, { force: true });
}

function closeToOthers(path: string, onNote: (note: string) => void): void {
  // It may have gone meanwhile: several Corrals can share the folder.
  const seen = lstatSync(path, { throwIfNoEntry: false });
  // Of a link, it is the file behind it that would be changed.
  if (seen === undefined || seen.isSymbolicLink() || (seen.mode & 0o077) === 0) return;
  try {
    chmodSync(path, seen.isDirectory() ? PRIVATE_FOLDER : PRIVATE_FILE);
  } catch (error) {
    onNote(`${path} is open to others, and stays so: ${textOf(error)}.`);
  }
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
