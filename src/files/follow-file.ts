import { statSync, type BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';

const LOOK_EVERY_MS = 1_000;

/**
 * Says when a file has changed, come or gone; ends with the answer. It looks at what the system says of the file, and speaks only once
 * two looks have seen the same: an editor that empties a file before it writes it is not interrupted. Looking works for editors that
 * put another file in its place, for links that lead elsewhere, and on file systems that tell nobody.
 */
export function followFile(path: string, onChange: () => void, everyMs = LOOK_EVERY_MS): () => void {
  let told = markOf(path);
  let seen = told;
  let timer: NodeJS.Timeout | null = null;
  const look = async (): Promise<void> => {
    const now = await stat(path, { bigint: true }).then(mark, () => GONE);
    // Meanwhile nobody may want to know any more.
    if (timer === null) return;
    if (now === seen && now !== told) {
      told = now;
      onChange();
    }
    seen = now;
    arm();
  };
  const arm = (): void => void (timer = setTimeout(() => void look(), everyMs).unref());
  arm();
  return () => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
  };
}

const GONE = 'gone';

/** Equal as long as a file is the same and has the same in it. */
const mark = ({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string =>
  [dev, ino, size, mtimeNs, ctimeNs].join(' ');

function markOf(path: string): string {
  try {
    return mark(statSync(path, { bigint: true }));
  } catch {
    return GONE;
  }
}
