import type { ActorRefFrom } from 'xstate';
import { LedgerReader } from '../machines/scheduler/ledger-reader.ts';
import type { schedulerMachine } from '../machines/scheduler.machine.ts';

export type Scheduler = ActorRefFrom<typeof schedulerMachine>;

/** What a scheduler knows at this moment, to read. It does not follow what happens afterwards: ask again. */
export function ledgerOf(scheduler: Pick<Scheduler, 'getSnapshot'>): LedgerReader {
  const { tables, now } = scheduler.getSnapshot().context;
  return new LedgerReader(tables, now);
}
