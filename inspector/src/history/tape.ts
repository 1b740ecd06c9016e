import { noPictures, picturesAfter, shortened, type Pictures, type Told } from './pictures.ts';

export interface TapeBounds {
  /** Time that is kept. */
  readonly ms: number;
  /** Characters that are kept: nearly all of them take one byte. */
  readonly size: number;
}

/** Ten minutes of a busy Corral; what happens much faster is kept for less long. */
export const liveBounds: TapeBounds = { ms: 10 * 60_000, size: 48 * 1024 ** 2 };

/** A part of a tape begins with a picture of everything, so that no moment is far from one. */
const PART: TapeBounds = { ms: 10_000, size: 2 * 1024 ** 2 };

interface Part {
  readonly fromMs: number;
  /** `Pictures` as JSON. */
  readonly start: string;
  /** `{ at, …Told }` as JSON, each. */
  readonly lines: string[];
  size: number;
}

type Line = Told & { readonly at: number };

/**
 * What was told over some time, of which the oldest gives way. It is kept as text, which takes a tenth of the room, and read
 * where it is looked at.
 */
export class Tape {
  readonly #bounds: TapeBounds;
  #parts: Part[] = [];
  #size = 0;
  #now: Pictures = noPictures;
  #endMs = 0;
  /** Where it was looked at last: the next look is mostly close by. */
  #head: { part: Part; next: number; atMs: number; pictures: Pictures } | null = null;

  constructor(bounds: TapeBounds) {
    this.#bounds = bounds;
  }

  /** From when to when something is known, in ms; null for an empty tape. */
  get span(): { readonly fromMs: number; readonly toMs: number } | null {
    const [first] = this.#parts;
    return first ? { fromMs: first.fromMs, toMs: this.#endMs } : null;
  }

  /** Characters that it holds. */
  get size(): number {
    return this.#size;
  }

  /** Takes in what was told at a time, which is none before those of earlier. */
  add(atMs: number, { topic, type, data }: Told): void {
    const part = this.#partFor(atMs);
    const line = JSON.stringify({ at: atMs, topic, type, data } satisfies Line);
    part.lines.push(line);
    part.size += line.length;
    this.#size += line.length;
    this.#now = picturesAfter(this.#now, { topic, type, data });
    this.#endMs = atMs;
    this.#forget();
  }

  /** Begins anew from a picture of everything. */
  begin(atMs: number, pictures: Pictures): void {
    this.#now = pictures;
    this.#endMs = atMs;
    this.#open(atMs);
  }

  /** Everything as it was at a time; at the beginning for what is before it. Null for an empty tape. */
  at(atMs: number): Pictures | null {
    const part = this.#parts.findLast(({ fromMs }) => fromMs <= atMs) ?? this.#parts[0];
    if (!part) return null;
    const isOnTheWay = this.#head?.part === part && this.#head.atMs <= atMs;
    const head =
      isOnTheWay && this.#head
        ? this.#head
        : { part, next: 0, atMs, pictures: JSON.parse(part.start) as Pictures };
    for (let text = part.lines[head.next]; text !== undefined; text = part.lines[++head.next]) {
      const line = JSON.parse(text) as Line;
      if (line.at > atMs) break;
      head.pictures = picturesAfter(head.pictures, line);
    }
    head.atMs = atMs;
    this.#head = head;
    return head.pictures;
  }

  /** All of it, a line each: `{ at, pictures }` or `{ at, …Told }`. */
  *lines(): Generator<string> {
    for (const { fromMs, start, lines } of this.#parts) {
      yield `{"at":${fromMs},"pictures":${start}}`;
      yield* lines;
    }
  }

  #partFor(atMs: number): Part {
    const last = this.#parts.at(-1);
    if (last && atMs - last.fromMs < PART.ms && last.size < PART.size) return last;
    return this.#open(atMs);
  }

  #open(atMs: number): Part {
    const start = JSON.stringify(shortened(this.#now));
    const part = { fromMs: atMs, start, lines: [], size: start.length };
    this.#parts.push(part);
    this.#size += part.size;
    return part;
  }

  #forget(): void {
    for (;;) {
      const [oldest, next] = this.#parts;
      if (!oldest || !next) return;
      if (this.#size <= this.#bounds.size && this.#endMs - next.fromMs <= this.#bounds.ms) return;
      this.#parts.shift();
      this.#size -= oldest.size;
      if (this.#head?.part === oldest) this.#head = null;
    }
  }
}
