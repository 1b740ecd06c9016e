import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Clock } from '../clock.ts';
import type { Feed, Frame } from './feed.ts';
import type { WsLimits } from './limits.ts';

export interface OutboxParts {
  readonly socket: WebSocket;
  /** The connection below: it says when everything has gone out. */
  readonly connection: Duplex;
  readonly clock: Clock;
  readonly limits: WsLimits;
  /** It has not caught up in time. */
  readonly onStall: () => void;
}

/**
 * What goes out to one reader. While too much waits to be sent, changes are left out, and nothing more is read from it; once
 * all has gone out, each topic that it has missed something of is sent once, as a whole.
 */
export class Outbox {
  readonly #parts: OutboxParts;
  readonly #missed = new Set<Feed>();
  #stall: unknown = null;

  constructor(parts: OutboxParts) {
    this.#parts = parts;
    parts.connection.on('drain', () => this.#catchUp());
  }

  /** Sends what has to arrive: a reader who asks for much and reads little is not heard meanwhile. */
  send(frame: Frame | string): void {
    this.#write(frame);
    if (this.#isFull()) this.#wait();
  }

  /** Sends a change of a topic, or leaves it out. */
  deliver(feed: Feed, change: Frame): void {
    if (this.#missed.has(feed)) return;
    if (!this.#isFull()) return this.#write(change);
    this.#missed.add(feed);
    this.#wait();
  }

  /** It has been told the whole of a topic, or wants to hear no more of it. */
  forget(feed: Feed): void {
    this.#missed.delete(feed);
  }

  close(): void {
    this.#missed.clear();
    this.#parts.clock.clearTimeout(this.#stall as never);
  }

  #isFull(): boolean {
    return this.#parts.socket.bufferedAmount > this.#parts.limits.maxBufferedBytes;
  }

  #write(frame: Frame | string): void {
    this.#parts.socket.send(frame, { binary: false });
  }

  #wait(): void {
    if (this.#stall !== null) return;
    const { socket, clock, limits, onStall } = this.#parts;
    socket.pause();
    this.#stall = clock.setTimeout(onStall, limits.stallMs);
  }

  #catchUp(): void {
    if (this.#stall === null) return;
    for (const feed of this.#missed) {
      // The rest follows when this has gone out.
      if (this.#isFull()) return;
      this.#missed.delete(feed);
      this.#write(feed.snapshot('reset'));
    }
    this.#parts.clock.clearTimeout(this.#stall as never);
    this.#stall = null;
    this.#parts.socket.resume();
  }
}
