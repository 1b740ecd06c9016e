import type { AnyActorRef, InspectionEvent } from 'xstate';
import { actorRow, actorRows, type ActorRow } from '../charts/actors.ts';
import type { Scheduler } from '../ledger-of.ts';
import type { Watch } from './source.ts';

/** Actors that are over and still told: long enough to look at how they ended. */
const KEPT = 20;

/** The actors that have charts, and those that have ended while somebody watched. */
export class ActorTable {
  readonly #scheduler: Scheduler;
  readonly #over = new Map<string, ActorRow>();

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  readonly watch: Watch = (touch) => {
    const watching = this.#scheduler.system.inspect((inspected: InspectionEvent) => {
      if (inspected.type !== '@xstate.snapshot') return;
      if (inspected.snapshot.status === 'done') this.#bury(inspected.actorRef as AnyActorRef);
      touch();
    });
    return () => watching.unsubscribe();
  };

  rows(): ActorRow[] {
    const alive = actorRows(this.#scheduler).filter(({ id }) => !this.#over.has(id));
    return [...alive, ...this.#over.values()];
  }

  #bury(actor: AnyActorRef): void {
    const row = actorRow(actor);
    if (!row) return;
    this.#over.set(row.id, row);
    const [oldest] = this.#over.keys();
    if (oldest !== undefined && this.#over.size > KEPT) this.#over.delete(oldest);
  }
}
