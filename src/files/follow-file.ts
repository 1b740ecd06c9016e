import { statSync, type BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { followLooks } from './follow-looks.ts';

const LOOK_EVERY_MS = 1_000;

/**
 * Says when a file has changed, come or gone; ends with the answer. It looks at what the system says of the file, and speaks only once
 * two looks have seen the same: an editor that empties a file before it writes it is not interrupted. Looking works for editors that
 * put another file in its place, for links that lead elsewhere, and on file systems that tell nobody.
 */
export const followFile = (path: string, onChange: () => void, everyMs = LOOK_EVERY_MS): (() => void) =>
  followLooks({
    look: () => stat(path, { bigint: true }).then(markOf, () => GONE),
    first: firstMark(path),
    onChange,
    everyMs,
  });

const GONE = 'gone';

/** Equal as long as a file is the same and has the same in it. */
export const markOf = ({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string =>
  [dev, ino, size, mtimeNs, ctimeNs].join(' ');

function firstMark(path: string): string {
  try {
    return markOf(statSync(path, { bigint: true }));
  } catch {
    return GONE;
  }
}
