import { explainWait } from '../machines/planning/explain.ts';
import { canServe } from '../machines/planning/sharing.ts';
import type { LedgerReader } from '../machines/scheduler/ledger-reader.ts';
import type { LeaseId } from '../machines/vocabulary.ts';

/** How far a waiting request has come. */
export interface WaitProgress {
  readonly state: 'queued' | 'loading';
  /** 1 is next in line for its model. */
  readonly position: number;
  /** Of the load, from 0 to 1; null when nothing is loading, or nothing is known of it. */
  readonly progress: number | null;
  /** Why it waits, in words. */
  readonly reason: string;
}

/** Null when the request waits no longer. */
export function waitProgress(ledger: LedgerReader, leaseId: LeaseId): WaitProgress | null {
  const waiting = ledger.waitingOf(leaseId);
  const queue = waiting && ledger.queues.get(waiting.spec.classKey);
  if (!queue) return null;
  const { spec } = waiting;
  const loading = ledger
    .runnersOf(spec.name)
    .find((runner) => runner.state === 'loading' && canServe(runner.spec, spec));
  return {
    state: loading ? 'loading' : 'queued',
    position: queue.order.indexOf(waiting) + 1,
    progress: loading?.progress ?? null,
    reason: explainWait(queue, ledger, ledger.waits),
  };
}
