import type { ActorEvent } from '../../live/picture.ts';

/** What is lit in a drawn chart. */
export interface Lit {
  /** Paths of the states that the actor is in, outer ones included. */
  readonly states: ReadonlySet<string>;
  /** Of those the innermost. */
  readonly innermost: ReadonlySet<string>;
  /** Where it was before the last event, if that was elsewhere. */
  readonly before: ReadonlySet<string>;
  /** Ids of the transitions that it took last, in order. */
  readonly took: readonly string[];
}

/** What to light for a state (as `actors` tells it; null for none), and the event that led there. */
export function litBy(state: string | null, event: ActorEvent | null): Lit {
  const innermost = new Set(state === null || state === '' ? [] : state.split(' '));
  const before = event?.effect.before ?? null;
  return {
    states: new Set([...innermost].flatMap(withOuter)),
    innermost,
    before: new Set((before?.split(' ') ?? []).filter((path) => !innermost.has(path))),
    took: event?.effect.took ?? [],
  };
}

/** `a.b.c`, `a.b`, `a`, and the root. */
function withOuter(path: string): string[] {
  const keys = path.split('.');
  return keys.map((_, i) => keys.slice(0, keys.length - i).join('.')).concat('');
}
