import type { RequestEnd, RequestEntry } from '../http/request-log.ts';
import type { BodyCapture } from '../http/body-capture.ts';
import type { Bodies } from './bodies.ts';
import { rowOf, type ActivityRow } from './row-of.ts';

export interface ActivityParts {
  /** So many requests are kept. */
  readonly keep: () => number;
  /** Where bodies are kept, if they are. */
  readonly bodies: Bodies;
}

type Listener = (row: ActivityRow) => void;

/** The last requests that models were asked, for people who look. */
export class Activity {
  readonly #parts: ActivityParts;
  readonly #listeners = new Set<Listener>();
  #rows: ActivityRow[] = [];
  #id = 0;

  constructor(parts: ActivityParts) {
    this.#parts = parts;
  }

  /** Takes in a request that has ended. Looks at models that are not loaded are no requests of them. */
  readonly add = (entry: RequestEntry, end: RequestEnd, capture: BodyCapture | null = null): void => {
    if (entry.outcome === 'not-loaded') return;
    const keep = this.#parts.keep();
    if (keep === 0 && this.#listeners.size === 0) return;
    const id = ++this.#id;
    const hasBodies = capture !== null && this.#parts.bodies.keep(id, capture);
    const row = { ...rowOf(id, Date.now() - end.durationMs, entry, end), hasBodies };
    this.#rows.push(row);
    if (this.#rows.length > 2 * keep) this.#rows = this.#rows.slice(-keep || this.#rows.length);
    for (const listener of this.#listeners) listener(row);
  };

  /** Oldest first. */
  latest(): readonly ActivityRow[] {
    const keep = this.#parts.keep();
    const rows = keep === 0 ? [] : this.#rows.slice(-keep);
    return rows.map((row) =>
      row.hasBodies && !this.#parts.bodies.has(row.id) ? { ...row, hasBodies: false } : row,
    );
  }

  /** Hears each request at its end; the answer ends it. */
  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** The bodies of one, as long as they are kept. */
  bodiesOf(id: number): { readonly request: string; readonly reply: string; readonly isCut: boolean } | null {
    return this.#parts.bodies.of(id);
  }
}
