import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Clock } from '../clock.ts';
import type { InspectLimits } from './inspect-limits.ts';
import type { StatelyEvent } from './stately-events.ts';

export interface InspectReaderParts {
  readonly socket: WebSocket;
  /** The connection below: it says when everything has gone out. */
  readonly connection: Duplex;
  readonly clock: Clock;
  readonly limits: InspectLimits;
  /** All actors as they are now. */
  readonly present: () => readonly StatelyEvent[];
  /** What ends an actor of which the reader has missed the end. */
  readonly gone: (sessionId: string) => StatelyEvent;
  readonly onEnd: (reader: InspectReader) => void;
}

/** One inspector. While it is too slow it hears nothing; once it has read all, it is told how everything is by then. */
export class InspectReader {
  readonly #parts: InspectReaderParts;
  /** Actors of which it has been told, and not yet of their end. */
  readonly #known = new Set<string>();
  #stall: unknown = null;

  constructor(parts: InspectReaderParts) {
    this.#parts = parts;
    const { socket, connection } = parts;
    socket.on('close', () => {
      parts.clock.clearTimeout(this.#stall as never);
      parts.onEnd(this);
    });
    socket.on('error', () => socket.terminate());
    connection.on('drain', () => this.#catchUp());
    this.#tellAll();
  }

  /** Passes on what has just happened; `frame` is the event as text, the same for all readers. */
  tell(event: StatelyEvent, frame: string): void {
    if (this.#stall !== null) return;
    if (this.#isFull()) return this.#fallBehind();
    this.#send(event, frame);
  }

  /** Ends it politely, and cuts it off if it does not answer. */
  end(code: number, reason: string): void {
    const { socket, clock, limits } = this.#parts;
    socket.close(code, reason);
    const cut = clock.setTimeout(() => socket.terminate(), limits.closeGraceMs);
    socket.on('close', () => clock.clearTimeout(cut as never));
  }

  #isFull(): boolean {
    return this.#parts.socket.bufferedAmount > this.#parts.limits.maxBufferedBytes;
  }

  #fallBehind(): void {
    const { clock, limits } = this.#parts;
    this.#stall = clock.setTimeout(() => this.end(1013, 'too slow'), limits.stallMs);
  }

  #catchUp(): void {
    if (this.#stall === null) return;
    this.#parts.clock.clearTimeout(this.#stall as never);
    this.#stall = null;
    this.#tellAll();
  }

  #tellAll(): void {
    const present = this.#parts.present();
    const alive = new Set(present.map(({ sessionId }) => sessionId));
    const missed = [...this.#known].filter((id) => !alive.has(id)).map(this.#parts.gone);
    for (const event of [...missed, ...present]) this.#send(event, JSON.stringify(event));
  }

  #send(event: StatelyEvent, frame: string): void {
    if (event.type === '@xstate.actor') this.#known.add(event.sessionId);
    if (event.type === '@xstate.snapshot' && event.snapshot.status !== 'active')
      this.#known.delete(event.sessionId);
    this.#parts.socket.send(frame);
  }
}
