import type { Topic } from './protocol.ts';
import type { Source } from './source.ts';
import { V } from './wire.ts';

/** Changes that are kept for readers who come back. */
const KEPT_CHANGES = 256;
const KEPT_BYTES = 512 * 1024;

/** One message, ready to be sent: the same bytes to every reader. */
export type Frame = Buffer;

/** Who hears of changes. */
export interface FeedReader {
  /** Changes may be told this late, where nobody else follows; absent: with the next tick. */
  readonly patienceMs?: number;
  deliver(feed: Feed, change: Frame): void;
}

export interface Place {
  readonly topic: Topic;
  readonly params: object | undefined;
}

interface Kept {
  readonly seq: number;
  readonly frame: Frame;
}

/** One topic with its params: its changes are worked out and written once, for however many readers. */
export class Feed {
  readonly readers = new Set<FeedReader>();
  /** Nobody followed it when it was last looked at. */
  isAbandoned = false;
  readonly #place: Place;
  readonly #source: Source;
  readonly #nextSeq: () => number;
  #seq: number;
  /** The changes after this seq are all kept. */
  #floor: number;
  #kept: Kept[] = [];
  #keptBytes = 0;
  #snapshots: { plain?: Frame; reset?: Frame } = {};

  /** `nextSeq` counts over all feeds, so that no seq of a feed that was forgotten comes up again. */
  constructor(place: Place, source: Source, nextSeq: () => number) {
    this.#place = place;
    this.#source = source;
    this.#nextSeq = nextSeq;
    source.take();
    this.#seq = this.#floor = nextSeq();
  }

  get seq(): number {
    return this.#seq;
  }

  /** How late all who follow may be told; 0 as soon as can be. */
  get patienceMs(): number {
    let patienceMs = Infinity;
    for (const reader of this.readers) patienceMs = Math.min(patienceMs, reader.patienceMs ?? 0);
    return patienceMs;
  }

  /** Tells all readers what has changed since the last time. */
  flush(): void {
    const data = this.#source.take();
    if (data === null) return;
    this.#seq = this.#nextSeq();
    this.#snapshots = {};
    const frame = this.#frame('change', data);
    this.#keep({ seq: this.#seq, frame });
    for (const reader of this.readers) reader.deliver(this, frame);
  }

  /** The topic as a whole. `reset` says that changes were left out before it. */
  snapshot(kind: 'plain' | 'reset'): Frame {
    return (this.#snapshots[kind] ??= this.#frame(
      'snapshot',
      this.#source.snapshot(),
      kind === 'reset' ? { reset: true } : {},
    ));
  }

  /** The changes after a seq; null when they are not all there. */
  after(seq: number): readonly Frame[] | null {
    if (seq < this.#floor || seq > this.#seq) return null;
    return this.#kept.filter((change) => change.seq > seq).map(({ frame }) => frame);
  }

  close(): void {
    this.#source.close();
  }

  #frame(type: 'snapshot' | 'change', data: unknown, flags: object = {}): Frame {
    return Buffer.from(JSON.stringify({ v: V, type, ...this.#place, seq: this.#seq, ...flags, data }));
  }

  #keep(change: Kept): void {
    this.#kept.push(change);
    this.#keptBytes += change.frame.length;
    while (this.#kept.length > KEPT_CHANGES || this.#keptBytes > KEPT_BYTES) {
      const oldest = this.#kept.shift();
      if (!oldest) return;
      this.#keptBytes -= oldest.frame.length;
      this.#floor = oldest.seq;
    }
  }
}
