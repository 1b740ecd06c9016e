import type { LedgerReader } from '../../machines/scheduler/ledger-reader.ts';
import type { ClassQueue } from '../../machines/planning/view.ts';
import type { RunnerRow } from '../../machines/scheduler/tables.ts';
import { runnerStatus, waitsOf } from '../status.ts';
import type { Row } from './protocol.ts';

/** The time of day, in ISO 8601, of a machine's time in ms. */
export type MomentOf = (atMs: number) => string;

/** A runner as the status has it, with moments in place of durations. */
export function runnerRow(runner: RunnerRow, momentOf: MomentOf): Row<'runners'> {
  const { stateSinceMs } = runner;
  // Seen from the moment when its state began, what is left of its keep-alive is all of it.
  const { sinceMs: _, idleLeftMs, ...rest } = runnerStatus(runner, stateSinceMs);
  return {
    ...rest,
    since: momentOf(stateSinceMs),
    idleUntil: idleLeftMs === null ? null : momentOf(stateSinceMs + idleLeftMs),
  };
}

/** All that wait, with moments in place of durations. */
export const waitRows = (ledger: LedgerReader, momentOf: MomentOf): Row<'queue'>[] =>
  [...ledger.queues.values()].flatMap((queue) => rowsOf(queue, ledger, momentOf));

function rowsOf(queue: ClassQueue, ledger: LedgerReader, momentOf: MomentOf): Row<'queue'>[] {
  const nowMs = ledger.now();
  return waitsOf(queue, ledger).map((wait, index) => {
    const { waitedMs: _, estimateMs, ...rest } = wait;
    return {
      ...rest,
      since: momentOf(queue.order[index]?.arrivedAtMs ?? nowMs),
      // To a second: a guess that moves with the time of asking would else be a change each time.
      expectedAt: estimateMs === null ? null : momentOf(Math.ceil((nowMs + estimateMs) / 1000) * 1000),
    };
  });
}
