import type { ActorEvent } from '../../../live/picture.ts';

/** A lifeline: an actor, or all that is outside. */
export interface Lane {
  /** Null for outside. */
  readonly actor: string | null;
  readonly title: string;
}

/**
 * The lifelines of some events, parents before their children: outside, scheduler, devices, runners by number. Those that were
 * there before stay, so that none moves while events come and go; where most would be of no use, it begins anew.
 */
export function lanesOf(events: readonly ActorEvent[], before: readonly Lane[] = []): readonly Lane[] {
  const now = new Set<string | null>(events.flatMap(({ from, to }) => [from, to]));
  const kept = now.size * 2 < before.length ? [] : before.map(({ actor }) => actor);
  const known = new Set(kept);
  if (kept.length > 0 && [...now].every((actor) => known.has(actor))) return before;
  const all = new Set([...kept, ...now]);
  const actors = [...all]
    .filter((actor) => actor !== null)
    .toSorted((a, b) => rank(a) - rank(b) || compare(a, b));
  return [
    ...(all.has(null) ? [{ actor: null, title: 'outside' }] : []),
    ...actors.map((actor) => ({ actor, title: titleOf(actor) })),
  ];
}

const rank = (actor: string): number => {
  const [first = ''] = actor.split('.');
  if (first === 'scheduler') return 0;
  return first === 'devices' ? 1 : 2;
};

const { compare } = new Intl.Collator('en', { numeric: true });

/** A child stands beside its parent, and is called by its own name. */
const titleOf = (actor: string): string => {
  const dot = actor.indexOf('.');
  return dot === -1 ? actor : actor.slice(dot);
};

/** What to show of all events. */
export interface EventFilter {
  /** Only what this actor, or a child of it, sends or is sent; empty for all. */
  readonly actor: string;
  /** Part of the event's type; empty for all. */
  readonly type: string;
}

export function filterEvents(
  events: readonly ActorEvent[],
  { actor, type }: EventFilter,
): readonly ActorEvent[] {
  if (actor === '' && type === '') return events;
  const wanted = type.toLowerCase();
  return events.filter(
    (event) =>
      (actor === '' || isOf(event.to, actor) || (event.from !== null && isOf(event.from, actor))) &&
      (wanted === '' || event.type.toLowerCase().includes(wanted)),
  );
}

const isOf = (name: string, actor: string): boolean => name === actor || name.startsWith(`${actor}.`);

/** An event's type in few words: `after keepAlive`, `done: readiness`, `started`. */
export function shortType(type: string): string {
  if (type === 'xstate.init') return 'started';
  const [, kind, rest = ''] = /^xstate\.(after|done\.actor|error\.actor)\.(.+)$/.exec(type) ?? [];
  if (kind === undefined) return type;
  return kind === 'after' ? `after ${rest.split('.')[0]}` : `${kind.split('.')[0]}: ${rest}`;
}

/** Whether it is the same event, told or read at different times. */
export const isSameEvent = (a: ActorEvent, b: ActorEvent): boolean =>
  a === b ||
  (a.at === b.at &&
    a.type === b.type &&
    a.to === b.to &&
    a.from === b.from &&
    JSON.stringify(a.data) === JSON.stringify(b.data));
