import { followActors } from '../charts/follow-actors.ts';
import { ledgerOf, type Scheduler } from '../ledger-of.ts';
import { devicesOf } from '../status.ts';
import { ActorTable } from '../ws/actor-table.ts';
import { runnerRow, waitRows } from '../ws/ledger-rows.ts';
import { ListSource } from '../ws/list-source.ts';
import type { Entry, StreamTopic } from '../ws/protocol.ts';
import type { Source } from '../ws/source.ts';

/** Virtual time begins at the beginning of all time. */
const momentOf = (atMs: number): string => new Date(atMs).toISOString();

/** What the WebSocket API would have told of a run: its page can show it. */
export class Told {
  readonly #note: (told: { topic: string; data: unknown }) => void;
  readonly #lists: Readonly<Record<'runners' | 'queue' | 'devices' | 'actors', Source>>;
  readonly #events: Entry<'events'>[] = [];
  readonly #decisions: Entry<'decisions'>[] = [];

  /** Begins to listen; `note` hears of each change. */
  constructor(scheduler: Scheduler, note: (told: { topic: string; data: unknown }) => void) {
    const ledger = () => ledgerOf(scheduler);
    const actors = new ActorTable(scheduler);
    actors.watch(() => {});
    const list = <Row extends { readonly id: string }>(read: () => readonly Row[]): Source =>
      new ListSource(
        read,
        () => {},
        () => () => {},
      );
    this.#note = note;
    this.#lists = {
      runners: list(() => [...ledger().runners.values()].map((runner) => runnerRow(runner, momentOf))),
      queue: list(() => waitRows(ledger(), momentOf)),
      devices: list(() => devicesOf(ledger())),
      actors: list(() => actors.rows()),
    };
    followActors(scheduler, (event) => this.#events.push({ at: momentOf(ledger().now()), ...event }));
    scheduler.on('decision', ({ record: { atMs, reservation, ...record } }) =>
      this.#decisions.push({ ...record, at: momentOf(atMs), reservedBytes: reservation }),
    );
  }

  /** Notes what has changed since the last look; called after each instant's events. */
  look(): void {
    for (const [topic, source] of Object.entries(this.#lists)) {
      const data = source.take();
      if (data !== null) this.#note({ topic, data });
    }
    this.#take('decisions', this.#decisions);
    this.#take('events', this.#events);
  }

  #take<T extends StreamTopic>(topic: T, entries: Entry<T>[]): void {
    if (entries.length > 0) this.#note({ topic, data: { entries: entries.splice(0), leftOut: 0 } });
  }
}
