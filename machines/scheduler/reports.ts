import { isAside } from '../planning/experts-aside.ts';
import { makeWay } from '../planning/make-way.ts';
import { hostBytesOf } from '../planning/memory.ts';
import { canServe, isReturning } from '../planning/sharing.ts';
import type { RunnerReport } from '../runner/contract.ts';
import { formatBytes, sumBytes, type Reservation } from '../vocabulary.ts';
import type { SchedulerSettings } from './contract.ts';
import { recordOf } from './decisions.ts';
import type { Ledger } from './ledger.ts';
import { evict, isOwn, refuse, type Outlet } from './steps.ts';
import type { RunnerRow } from './tables.ts';

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

/** What a runner was seen to hold: told where it is more than was planned, remembered for its next load, and made room for. */
export function noteMeasured(
  ledger: Ledger,
  { runnerId, use }: Report<'runner.measured'>,
  settings: SchedulerSettings,
  out: Outlet,
): void {
  const before = ledger.runners.get(runnerId);
  const look = before && ledger.measure(before, use);
  const runner = ledger.runners.get(runnerId);
  if (!look || !runner) return;
  if (look.isNews && canLearn(runner))
    out.emit({ type: 'model.learned', ...learnedFrom(runner, look.holds) });
  if (look.isOutgrown) {
    const { name: model } = runner.spec;
    const moreBytes = aboveOf(look.holds, runner.promised);
    const reason = `holds ${bytesByDevice(look.holds)}: ${formatBytes(moreBytes)} more than was planned`;
    const record = recordOf(ledger, 'outgrown', { model, reason, runnerId, reservation: look.booked });
    out.emit({ type: 'decision', record });
  }
  for (const victim of makeWay(runner, ledger, ledger.now())) evict(ledger, victim, settings, out);
  out.emit({ type: 'runner.changed', runnerId });
}

/** Not from a configured need, the first of another program's processes, one context of several, or experts that were set aside because the whole did not fit. */
const canLearn = ({ spec }: RunnerRow): boolean =>
  spec.needSource !== 'configured' &&
  spec.launch.runtime !== 'command' &&
  spec.contexts === undefined &&
  !isAside(spec);

/** What the next load is planned with: what stays in main memory of a model on GPUs is learned beside the rest. */
function learnedFrom({ spec, promised }: RunnerRow, holds: Reservation) {
  const { classKey, name: model } = spec;
  const hostBytes = hostBytesOf(spec);
  const { CPU = 0, ...gpus } = holds;
  const isOnGpusAlone = sumBytes(gpus) > 0 && (promised['CPU'] ?? 0) <= hostBytes;
  return isOnGpusAlone
    ? { classKey, model, needBytes: sumBytes(gpus), hostBytes: Math.max(CPU, hostBytes), loadMs: null }
    : { classKey, model, needBytes: Math.max(0, sumBytes(holds) - hostBytes), loadMs: null };
}

const aboveOf = (held: Reservation, promised: Reservation): number =>
  Object.entries(held).reduce((sum, [id, bytes]) => sum + Math.max(0, bytes - (promised[id] ?? 0)), 0);

const bytesByDevice = (held: Reservation): string =>
  Object.entries(held)
    .map(([id, bytes]) => `${formatBytes(bytes)} of ${id}`)
    .join(', ');

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
