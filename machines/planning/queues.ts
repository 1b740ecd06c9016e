import type { ClassQueue, Waiting } from './view.ts';

/** The longest waiting request of a queue. */
export const oldestOf = (queue: ClassQueue): Waiting | undefined => queue.arrivals[0];

/** When its longest waiting request arrived. */
export const headArrivalMs = (queue: ClassQueue): number => oldestOf(queue)?.arrivedAtMs ?? Infinity;

/** Served before the other one: by place, then by arrival. */
export const isBefore = (a: Waiting, b: Waiting): boolean =>
  a.placeMs < b.placeMs || (a.placeMs === b.placeMs && a.seq < b.seq);

/** Queues by their longest waiting request. */
export const longestWaitingFirst = (queues: readonly ClassQueue[]): readonly ClassQueue[] =>
  queues.length < 2
    ? queues
    : queues.toSorted(
        (a, b) => headArrivalMs(a) - headArrivalMs(b) || (oldestOf(a)?.seq ?? 0) - (oldestOf(b)?.seq ?? 0),
      );
