import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Clock } from '../clock.ts';
import type { Feed, Frame } from './feed.ts';
import type { WsLimits } from './limits.ts';
import type { Rounds, Sender } from './rounds.ts';

export interface OutboxParts {
  readonly socket: WebSocket;
  /** The connection below: it says when everything has gone out. */
  readonly connection: Duplex;
  readonly rounds: Rounds;
  readonly clock: Clock;
  readonly limits: WsLimits;
  /** It has not caught up in time. */
  readonly onStall: () => void;
}

/**
 * What goes out to one reader: gathered, and sent together when its turn comes. While too much waits to be sent, changes are left out, and nothing more is read from it; once
 * all has gone out, each topic that it has missed something of is sent once, as a whole.
 */
export class Outbox implements Sender {
  readonly #parts: OutboxParts;
  #queue: (Frame | string)[] = [];
  #queuedBytes = 0;
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

  /** Sends what has gathered, as one piece. */
  flush(): void {
    const { socket, connection } = this.#parts;
    const frames = this.#queue;
    this.#queue = [];
    this.#queuedBytes = 0;
    connection.cork();
    for (const frame of frames) socket.send(frame, { binary: false });
    connection.uncork();
    // Otherwise the connection says when all has gone out.
    if (!connection.writableNeedDrain) this.#catchUp();
  }

  /** Sends the last of it; nothing more follows. */
  close(): void {
    this.#missed.clear();
    this.#parts.rounds.leave(this);
    this.flush();
    this.#parts.clock.clearTimeout(this.#stall as never);
  }

  #isFull(): boolean {
    const { socket, limits } = this.#parts;
    return this.#queuedBytes + socket.bufferedAmount > limits.maxBufferedBytes;
  }

  #write(frame: Frame | string): void {
    this.#queue.push(frame);
    this.#queuedBytes += frame.length;
    this.#parts.rounds.enter(this);
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
