import type { ClassQueue, Waiting } from './view.ts';

/** The longest waiting request of a queue. */
export const oldestOf = (queue: ClassQueue): Waiting | undefined => queue.arrivals[0];

/** When its longest waiting request arrived. */
export const headArrivalMs = (queue: ClassQueue): number => oldestOf(queue)?.arrivedAtMs ?? Infinity;

/** Served before the other one: by place, then by arrival. */
export const isBefore = (a: Waiting, b: Waiting): boolean =>
  a.placeMs < b.placeMs || (a.placeMs === b.placeMs && a.seq < b.seq);

/** Queues by the place of who is first in them, so that priority counts between models too. */
export const byPlace = (queues: readonly ClassQueue[]): readonly ClassQueue[] =>
  queues.length < 2 ? queues : queues.toSorted((a, b) => compareHeads(a.order[0], b.order[0]));

function compareHeads(a: Waiting | undefined, b: Waiting | undefined): number {
  if (!a || !b) return 0;
  return isBefore(a, b) ? -1 : 1;
}
