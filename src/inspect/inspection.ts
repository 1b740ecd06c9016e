import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { AnyActorRef, InspectionEvent, Snapshot, Subscription } from 'xstate';
import { realClock, type Clock } from '../clock.ts';
import type { Scheduler } from '../ledger-of.ts';
import { defaultInspectLimits, type InspectLimits } from './inspect-limits.ts';
import { InspectReader } from './inspect-reader.ts';
import {
  goneEvent,
  modelEvents,
  modelStepEvents,
  presentEvents,
  statelyEvent,
  type StatelyEvent,
} from './stately-events.ts';

export interface InspectionOptions {
  /** The machines' time in ms. */
  readonly now: () => number;
  readonly limits?: Partial<InspectLimits>;
  /** For tests: the time of stalls. */
  readonly clock?: Clock;
}

/**
 * Tells inspectors what the actors do, in the wire format of `@statelyai/inspect`. Nothing is kept for those who come late: what
 * they need is read from the actors when they come. Without inspectors nothing is watched, so nothing is paid.
 */
export class Inspection {
  readonly #root: Scheduler;
  readonly #now: () => number;
  readonly #clock: Clock;
  readonly #limits: InspectLimits;
  readonly #readers = new Set<InspectReader>();
  #watching: Subscription | null = null;

  constructor(scheduler: Scheduler, { now, limits, clock = realClock }: InspectionOptions) {
    this.#root = scheduler;
    this.#now = now;
    this.#clock = clock;
    this.#limits = { ...defaultInspectLimits, ...limits };
  }

  /** Inspectors that are connected. */
  get readerCount(): number {
    return this.#readers.size;
  }

  /** Takes a connection in: it is told of all actors that live, then of what happens. What it says itself is not heard. */
  readonly admit = (socket: WebSocket, connection: Duplex): void => {
    const { maxReaders } = this.#limits;
    if (this.#readers.size >= maxReaders) return socket.close(1013, `${maxReaders} inspectors are connected`);
    const { sessionId } = this.#root;
    const reader = new InspectReader({
      socket,
      connection,
      clock: this.#clock,
      limits: this.#limits,
      present: () => this.#present(),
      gone: (id) => goneEvent(id, sessionId, this.#now()),
      onEnd: (ended) => this.#leave(ended),
    });
    this.#readers.add(reader);
    this.#watching ??= this.#watch();
  };

  /** All that lives, as it is now. */
  #present(): StatelyEvent[] {
    const { sessionId } = this.#root;
    const nowMs = this.#now();
    const models = this.#root.getSnapshot().context.tables.models;
    return [
      ...activeFrom(this.#root).flatMap((ref) => presentEvents(ref, sessionId, nowMs)),
      ...[...models].flatMap(([model, row]) => modelEvents(model, row, sessionId, nowMs)),
    ];
  }

  #watch(): Subscription {
    const { sessionId } = this.#root;
    const known = new Set(this.#root.getSnapshot().context.tables.models.keys());
    const watching = this.#root.system.inspect((inspected: InspectionEvent) => {
      const event = statelyEvent(inspected, this.#now());
      if (event) this.#tell(event);
    });
    const steps = this.#root.on('model.stepped', (step) => {
      const nowMs = this.#now();
      const isNew = !known.has(step.model);
      known.add(step.model);
      const first = isNew ? modelEvents(step.model, step.before, sessionId, nowMs) : [];
      for (const event of [...first, ...modelStepEvents(step, sessionId, nowMs)]) this.#tell(event);
    });
    return {
      unsubscribe: () => {
        watching.unsubscribe();
        steps.unsubscribe();
      },
    };
  }

  /** Says goodbye to everybody. */
  close(): void {
    for (const reader of this.#readers) reader.end(1001, 'Corral stops');
  }

  #tell(event: StatelyEvent): void {
    const frame = JSON.stringify(event);
    for (const reader of this.#readers) reader.tell(event, frame);
  }

  #leave(reader: InspectReader): void {
    this.#readers.delete(reader);
    if (this.#readers.size > 0) return;
    this.#watching?.unsubscribe();
    this.#watching = null;
  }
}

/** An actor and all below it that live, parents first. */
function activeFrom(ref: AnyActorRef): AnyActorRef[] {
  const snapshot = ref.getSnapshot() as Snapshot<unknown> & { children?: Record<string, AnyActorRef> };
  if (snapshot.status !== 'active') return [];
  return [ref, ...Object.values(snapshot.children ?? {}).flatMap(activeFrom)];
}
