import { hostBytesOf } from '../planning/memory.ts';
import { canServe, isReturning } from '../planning/sharing.ts';
import type { RunnerReport } from '../runner/contract.ts';
import { sumBytes } from '../vocabulary.ts';
import { recordOf } from './decisions.ts';
import type { Ledger } from './ledger.ts';
import { isOwn, refuse, type Outlet } from './steps.ts';

type Report<Type extends RunnerReport['type']> = Extract<RunnerReport, { type: Type }>;

/**
 * What runners tell, entered into the ledger. Ids are never used again, so a report about a runner that is not in the
 * ledger is stale, and is dropped.
 */
export function noteMoved(ledger: Ledger, event: Report<'runner.moved'>, out: Outlet): void {
  const { runnerId, state, reason, failure } = event;
  const runner = ledger.runners.get(runnerId);
  if (!runner) return;
  // Said before it heard that it has to go.
  if (isReturning(runner) && state === 'loading') return;
  ledger.moveRunner(runnerId, state, reason);
  // A load that has failed is answered at once: nobody has to wait until its memory is back.
  if (failure !== null && runner.readyAtMs === null && runner.loadFailure === null)
    refuse(ledger, ledger.takeFailed(runner, failure), failure, out);
  if (state === 'unloading')
    out.emit({
      type: 'decision',
      record: recordOf(ledger, 'unload', { model: runner.spec.name, reason, runnerId }),
    });
  out.emit({ type: 'runner.changed', runnerId });
}

export function noteStarted(
  ledger: Ledger,
  { runnerId, pid, endpoint }: Report<'runner.started'>,
  out: Outlet,
): void {
  if (!ledger.runners.has(runnerId)) return;
  ledger.patch(runnerId, { pid, endpoint });
  out.emit({ type: 'runner.changed', runnerId });
}

export function noteProgress(
  ledger: Ledger,
  { runnerId, progress }: Report<'runner.progress'>,
  out: Outlet,
): void {
  if (!ledger.runners.has(runnerId)) return;
  if (progress !== null) ledger.patch(runnerId, { progress });
  out.emit({ type: 'runner.changed', runnerId });
}

export function noteLoaded(ledger: Ledger, { runnerId, slots }: Report<'runner.loaded'>, out: Outlet): void {
  const runner = ledger.runners.get(runnerId);
  // One that has been told to go before it said so is no candidate any more.
  if (!runner || isReturning(runner)) return;
  const loadMs = ledger.noteLoaded(runner, slots);
  // Loads on the scheduler's own account have what they asked for, also those of before a reload.
  for (const { spec, arrivals } of ledger.queuesOf(runner.spec.name))
    if (canServe(runner.spec, spec))
      for (const { leaseId } of arrivals) if (isOwn(leaseId)) ledger.withdraw(leaseId);
  const { name: model, classKey } = runner.spec;
  const reason = `ready after ${(loadMs / 1000).toFixed(1)} s`;
  out.emit({ type: 'decision', record: recordOf(ledger, 'loaded', { model, reason, runnerId }) });
  out.emit({ type: 'model.learned', classKey, model, needBytes: null, loadMs });
  out.emit({ type: 'runner.changed', runnerId });
}

export function noteMeasured(
  ledger: Ledger,
  { runnerId, use }: Report<'runner.measured'>,
  out: Outlet,
): void {
  const runner = ledger.runners.get(runnerId);
  if (!runner || !ledger.measure(runner, use)) return;
  const { name: model, classKey } = runner.spec;
  const heldBytes = sumBytes(ledger.runners.get(runnerId)?.reservation ?? {});
  const needBytes = Math.max(0, heldBytes - hostBytesOf(runner.spec));
  out.emit({ type: 'model.learned', classKey, model, needBytes, loadMs: null });
}

/** Something went wrong with a runner's end: told once, in the decision log. */
export function noteTrouble(
  ledger: Ledger,
  { type, runnerId }: Report<'runner.stuck' | 'runner.unrecovered'>,
  out: Outlet,
): void {
  const runner = ledger.runners.get(runnerId);
  if (!runner) return;
  const [kind, reason] =
    type === 'runner.stuck'
      ? (['stuck', 'its process does not end even on SIGKILL; its memory stays booked'] as const)
      : ([
          'unrecovered',
          'its memory did not come back in time; going on with what the devices report',
        ] as const);
  out.emit({
    type: 'decision',
    record: recordOf(ledger, kind, { model: runner.spec.name, reason, runnerId }),
  });
}

export function noteOverstayed(ledger: Ledger, { runnerId }: Report<'runner.overstayed'>): void {
  ledger.noteOverstayed(runnerId);
}
