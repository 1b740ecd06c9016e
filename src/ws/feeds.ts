import type { Clock } from '../clock.ts';
import { Feed, type FeedReader, type Place } from './feed.ts';
import type { WsLimits } from './limits.ts';
import type { Source } from './source.ts';

/** Opens the source of a topic; it says `touch` when there may be something to take. Throws when there is no such thing. */
export type OpenSource = (place: Place, touch: () => void) => Source;

/**
 * All feeds that are followed, and those that were until lately. Changes are told together, once a tick; a feed that nobody
 * follows does no work, and what has changed meanwhile is one change to who comes back.
 */
export class Feeds {
  readonly #open: OpenSource;
  readonly #clock: Clock;
  readonly #limits: WsLimits;
  readonly #feeds = new Map<string, Feed>();
  readonly #touched = new Set<Feed>();
  #timer: unknown = null;
  /** Of feeds that nobody follows who cannot wait. */
  readonly #patient = new Set<Feed>();
  #slowTimer: unknown = null;
  #seq = 0;

  constructor(open: OpenSource, clock: Clock, limits: WsLimits) {
    this.#open = open;
    this.#clock = clock;
    this.#limits = limits;
  }

  /** Feeds that are open, followed or not. */
  get count(): number {
    return this.#feeds.size;
  }

  /** The feed of a topic, with everything told that there is to tell. Throws when there is no such runner or model. */
  follow(place: Place, reader: FeedReader): Feed {
    const key = JSON.stringify([place.topic, place.params]);
    const feed = this.#feeds.get(key) ?? this.#create(key, place);
    if (feed.readers.size === 0) feed.flush();
    feed.isAbandoned = false;
    feed.readers.add(reader);
    return feed;
  }

  leave(feed: Feed, reader: FeedReader): void {
    feed.readers.delete(reader);
    if (feed.readers.size > 0) return;
    this.#touched.delete(feed);
    this.#patient.delete(feed);
    const idle = [...this.#feeds].filter(([, { readers }]) => readers.size === 0);
    const [oldest] = idle;
    if (oldest && idle.length > this.#limits.maxIdleFeeds) this.#close(...oldest);
  }

  /** Closes the feeds that nobody has followed since the last time. */
  sweep(): void {
    for (const [key, feed] of this.#feeds) {
      if (feed.isAbandoned) this.#close(key, feed);
      else feed.isAbandoned = feed.readers.size === 0;
    }
  }

  /** Tells what there still is to tell, and ends. */
  close(): void {
    this.#clock.clearTimeout(this.#timer as never);
    this.#clock.clearTimeout(this.#slowTimer as never);
    this.#tick();
    this.#slowTick();
    for (const [key, feed] of this.#feeds) this.#close(key, feed);
  }

  #create(key: string, place: Place): Feed {
    const source = this.#open(place, () => this.#touch(key));
    const feed = new Feed(place, source, () => ++this.#seq);
    this.#feeds.set(key, feed);
    return feed;
  }

  #touch(key: string): void {
    const feed = this.#feeds.get(key);
    if (!feed || feed.readers.size === 0) return;
    const { patienceMs } = feed;
    if (patienceMs > 0) {
      this.#patient.add(feed);
      this.#slowTimer ??= this.#clock.setTimeout(() => this.#slowTick(), patienceMs);
      return;
    }
    this.#touched.add(feed);
    this.#timer ??= this.#clock.setTimeout(() => this.#tick(), this.#tickMs());
  }

  #tickMs(): number {
    const { tickMs, tickPerReaderMs } = this.#limits;
    const most = Math.max(...[...this.#feeds.values()].map(({ readers }) => readers.size));
    return Math.max(tickMs, most * tickPerReaderMs);
  }

  #tick(): void {
    this.#timer = null;
    const touched = [...this.#touched];
    this.#touched.clear();
    for (const feed of touched) feed.flush();
  }

  #slowTick(): void {
    this.#slowTimer = null;
    const patient = [...this.#patient];
    this.#patient.clear();
    for (const feed of patient) feed.flush();
  }

  #close(key: string, feed: Feed): void {
    this.#feeds.delete(key);
    this.#touched.delete(feed);
    this.#patient.delete(feed);
    feed.close();
  }
}
