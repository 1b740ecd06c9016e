import { unwatchFile, watchFile } from 'node:fs';

const LOOK_EVERY_MS = 1_000;

/**
 * Says when a file has changed, come or gone; ends with the answer. It looks at the file's times: that works for editors that replace
 * it, for links that are changed, and on file systems that tell nobody.
 */
export function followFile(path: string, onChange: () => void, everyMs = LOOK_EVERY_MS): () => void {
  const look = (): void => onChange();
  watchFile(path, { interval: everyMs, persistent: false }, look);
  return () => unwatchFile(path, look);
}
