import type { Priority } from '../machines/vocabulary.ts';
import type { Standing } from './auth/caller-names.ts';

/** The one that goes first comes first. */
const order: readonly Priority[] = ['interactive', 'normal', 'batch'];

/**
 * Where a request stands in line: where it wishes to, but not before the place that its key gives it, or else its model.
 * Without a standing it may go anywhere.
 */
export function requestPriority(
  wish: Priority | undefined,
  model: Priority = 'normal',
  standing?: Standing,
): Priority {
  const own = standing?.priority ?? model;
  if (wish === undefined) return own;
  return standing && order.indexOf(wish) < order.indexOf(own) ? own : wish;
}
