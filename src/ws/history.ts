import type { Feed, FeedReader, Frame, Place } from './feed.ts';
import type { Feeds } from './feeds.ts';
import type { Topic } from './protocol.ts';

export interface HistoryBounds {
  /** Time that is kept. */
  readonly ms: number;
  readonly bytes: number;
}

/** What the page draws a moment from. */
const TOPICS: readonly Topic[] = ['runners', 'queue', 'devices', 'actors', 'decisions', 'events'];
/** A part begins with everything as it is, so that those before it can go. */
const PART_MS = 60_000;

interface Part {
  readonly fromMs: number;
  readonly lines: string[];
  bytes: number;
}

/**
 * What was told over the last minutes, whoever listened: who opens a page now sees what was before. Kept as text, of which the oldest
 * part gives way.
 */
export class History implements FeedReader {
  /** While nobody else follows, what changes with every request is not worked out as often. */
  readonly patienceMs = 250;
  readonly #bounds: HistoryBounds;
  readonly #now: () => number;
  readonly #feeds: readonly Feed[];
  readonly #leave: () => void;
  #parts: Part[] = [];
  #bytes = 0;

  /** `now` is the time of day, in ms. */
  constructor(feeds: Feeds, bounds: HistoryBounds, now: () => number = Date.now) {
    this.#bounds = bounds;
    this.#now = now;
    const places = TOPICS.map((topic): Place => ({ topic, params: undefined }));
    this.#feeds = places.map((place) => feeds.follow(place, this));
    this.#leave = () => this.#feeds.forEach((feed) => feeds.leave(feed, this));
    this.#begin(now());
  }

  deliver(_: Feed, change: Frame): void {
    const atMs = this.#now();
    const last = this.#parts.at(-1);
    if (!last || atMs - last.fromMs >= PART_MS || last.bytes >= this.#bounds.bytes / 8) this.#begin(atMs);
    // Which has what has just changed in it, too.
    else this.#add(last, atMs, change);
    this.#forget(atMs);
  }

  /** `{ at, topic, type, data }` as JSON, oldest first. */
  lines(): readonly string[] {
    return this.#parts.flatMap(({ lines }) => lines);
  }

  close(): void {
    this.#leave();
    this.#parts = [];
  }

  #begin(atMs: number): void {
    const part: Part = { fromMs: atMs, lines: [], bytes: 0 };
    this.#parts.push(part);
    for (const feed of this.#feeds) this.#add(part, atMs, feed.snapshot('plain'));
  }

  #add(part: Part, atMs: number, frame: Frame): void {
    part.lines.push(`{"at":${atMs},${frame.toString('utf8', 1)}`);
    part.bytes += frame.length;
    this.#bytes += frame.length;
  }

  #forget(nowMs: number): void {
    for (;;) {
      const [oldest, next] = this.#parts;
      if (!oldest || !next) return;
      if (this.#bytes <= this.#bounds.bytes && nowMs - next.fromMs <= this.#bounds.ms) return;
      this.#parts.shift();
      this.#bytes -= oldest.bytes;
    }
  }
}
