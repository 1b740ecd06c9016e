import type { KeepAlive } from '../vocabulary.ts';

/** A client's keep-alive within what the configuration allows; null, which leaves the runner's alone, stays null. */
export function clampKeepAlive(wish: KeepAlive | null, limit: KeepAlive = 'forever'): KeepAlive | null {
  if (wish === null || limit === 'forever') return wish;
  return wish === 'forever' ? limit : Math.min(wish, limit);
}
