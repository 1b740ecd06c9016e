import type { ModelSpec } from '../vocabulary.ts';
import type { ClassQueue, View, Waiting } from './view.ts';

/** The longest waiting request of a queue. */
export const oldestOf = (queue: ClassQueue): Waiting | undefined => queue.arrivals[0];

const knownDeadlines = new WeakMap<ClassQueue, Waiting>();

/** Whose wait ends first. A queue is never written in place, so this is looked for once. */
export function nextToGiveUp(queue: ClassQueue): Waiting | undefined {
  let first = knownDeadlines.get(queue);
  if (first) return first;
  for (const waiting of queue.arrivals)
    if (first === undefined || waiting.deadlineMs < first.deadlineMs) first = waiting;
  if (first) knownDeadlines.set(queue, first);
  return first;
}

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

/** Nobody waits for a model, and nobody is served by it. */
export const isUnused = (view: Pick<View, 'queuesOf' | 'runnersOf'>, model: string): boolean =>
  view.queuesOf(model).length === 0 && view.runnersOf(model).every(({ leases }) => leases === 0);

/** A queue with nobody in it. */
export const emptyQueue = (spec: ModelSpec): ClassQueue => ({
  spec,
  order: [],
  arrivals: [],
  sumArrivalMs: 0,
});

/** The same queue with one more in it, at its place. */
export const withWaiting = (
  { spec, order, arrivals, sumArrivalMs }: ClassQueue,
  one: Waiting,
): ClassQueue => ({
  spec,
  order: insertBefore(order, one, (other) => isBefore(one, other)),
  // Nearly always the last; only one that waits again has its old place.
  arrivals: insertBefore(arrivals, one, (other) => other.seq > one.seq),
  sumArrivalMs: sumArrivalMs + one.arrivedAtMs,
});

/** The same queue without one of those in it; null when nobody is left. */
export function withoutWaiting(queue: ClassQueue, { leaseId, arrivedAtMs }: Waiting): ClassQueue | null {
  if (queue.order.length === 1) return null;
  const isOther = (other: Waiting): boolean => other.leaseId !== leaseId;
  return {
    spec: queue.spec,
    order: queue.order.filter(isOther),
    arrivals: queue.arrivals.filter(isOther),
    sumArrivalMs: queue.sumArrivalMs - arrivedAtMs,
  };
}

/** Looked for from the end, where most belong. */
function insertBefore(
  list: readonly Waiting[],
  one: Waiting,
  belongsBefore: (other: Waiting) => boolean,
): readonly Waiting[] {
  let index = list.length;
  for (let other = list[index - 1]; other && belongsBefore(other); other = list[index - 1]) index--;
  return index === list.length ? [...list, one] : [...list.slice(0, index), one, ...list.slice(index)];
}
