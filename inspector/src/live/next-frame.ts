import { batch } from '@preact/signals';

const waiting = new Map<string, () => void>();

/**
 * Changes signals with the next frame that is drawn, all that wait for it together; of those of one key only the last. However
 * often the server tells something, the page is drawn once a frame; one that nobody sees is not drawn at all.
 */
export function inNextFrame(key: string, change: () => void): void {
  if (waiting.size === 0) requestAnimationFrame(drain);
  waiting.set(key, change);
}

function drain(): void {
  const changes = [...waiting.values()];
  waiting.clear();
  batch(() => {
    for (const change of changes) change();
  });
}
