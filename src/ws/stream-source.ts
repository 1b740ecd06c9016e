import type { Source } from './source.ts';

/** Bounds of a stream: what its snapshot has at most, and what may gather between two ticks. */
export interface Bounds {
  readonly entries: number;
  /** Characters, over all entries. */
  readonly size: number;
}

/** Entries in order, of which the oldest give way. */
class BoundedList<Entry> {
  readonly #bounds: Bounds;
  readonly #sizeOf: (entry: Entry) => number;
  #entries: Entry[] = [];
  #size = 0;
  #first = 0;
  leftOut = 0;

  constructor(bounds: Bounds, sizeOf: (entry: Entry) => number) {
    this.#bounds = bounds;
    this.#sizeOf = sizeOf;
  }

  get length(): number {
    return this.#entries.length - this.#first;
  }

  add(entry: Entry): void {
    this.#entries.push(entry);
    this.#size += this.#sizeOf(entry);
    while (this.length > 1 && (this.length > this.#bounds.entries || this.#size > this.#bounds.size)) {
      this.#size -= this.#sizeOf(this.#entries[this.#first] as Entry);
      this.#first++;
      this.leftOut++;
    }
    if (this.#first > this.length) this.#compact();
  }

  all(): readonly Entry[] {
    return this.#entries.slice(this.#first);
  }

  clear(): void {
    this.#entries = [];
    this.#first = this.#size = this.leftOut = 0;
  }

  #compact(): void {
    this.#entries.splice(0, this.#first);
    this.#first = 0;
  }
}

/** Begins to follow something: hands over each further entry, and answers with what ends it. */
export type Follow<Entry> = (push: (entry: Entry) => void) => () => void;

/** Something that only goes on: a log. Its snapshot is the last part of it. */
export class StreamSource<Entry> implements Source {
  readonly #kept: BoundedList<Entry>;
  readonly #pending: BoundedList<Entry>;
  readonly #unfollow: () => void;

  constructor(
    past: readonly Entry[],
    follow: Follow<Entry>,
    touch: () => void,
    bounds: Bounds,
    sizeOf: (entry: Entry) => number,
  ) {
    this.#kept = new BoundedList(bounds, sizeOf);
    this.#pending = new BoundedList(bounds, sizeOf);
    for (const entry of past) this.#kept.add(entry);
    this.#unfollow = follow((entry) => {
      this.#pending.add(entry);
      touch();
    });
  }

  snapshot(): { entries: readonly Entry[]; leftOut: number } {
    return { entries: this.#kept.all(), leftOut: this.#kept.leftOut };
  }

  take(): { entries: readonly Entry[]; leftOut: number } | null {
    if (this.#pending.length === 0) return null;
    const taken = { entries: this.#pending.all(), leftOut: this.#pending.leftOut };
    this.#pending.clear();
    this.#kept.leftOut += taken.leftOut;
    for (const entry of taken.entries) this.#kept.add(entry);
    return taken;
  }

  close(): void {
    this.#unfollow();
  }
}
