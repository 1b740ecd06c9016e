import type { Failure } from '../failures.ts';
import { isReturning } from '../planning/sharing.ts';
import type { Ledger } from './ledger.ts';
import { refuse, type Outlet } from './steps.ts';
import type { EventOf } from './contract.ts';
import type { RunnerRow } from './tables.ts';

export const shuttingDown: Failure = {
  code: 'shutting_down',
  message: 'Corral is shutting down. Try again once it is back.',
  retryAfterSeconds: 10,
};

/** Stops a model: its waiting requests are answered, a load is aborted, running leases may finish within `drainMs`. */
export function unloadModel(ledger: Ledger, { model, drainMs }: EventOf<'model.unload'>, out: Outlet): void {
  ledger.unpin(model);
  ledger.drop(model);
  refuse(ledger, ledger.takeWaiting(model), stopped(model), out);
  for (const runner of ledger.runnersOf(model)) end(ledger, runner, drainMs, out);
}

/** Stops one runner. A load has nothing to finish: it is aborted, and those who wait for it are answered. */
export function stopRunner(ledger: Ledger, { runnerId, drainMs }: EventOf<'runner.stop'>, out: Outlet): void {
  const runner = ledger.runners.get(runnerId);
  if (!runner) return;
  if (ledger.runnersOf(runner.spec.name).length === 1) ledger.unpin(runner.spec.name);
  end(ledger, runner, runner.state === 'loading' ? 0 : drainMs, out);
}

const stopped = (model: string): Failure => ({
  code: 'stopped',
  message: `${model} was stopped on request.`,
});

function end(ledger: Ledger, { id, spec }: RunnerRow, drainMs: number, out: Outlet): void {
  if (drainMs === 0) out.command(id, { type: 'runner.stop', failure: stopped(spec.name) });
  else out.command(id, { type: 'runner.expire', reason: 'it was stopped on request', drainMs });
  ledger.dismiss(id);
}

/** Also for runners to come: those that are started for whoever waits already, or after a crash. */
export function keepModel(
  ledger: Ledger,
  { model, keepAlive, pinned }: EventOf<'model.keep'>,
  out: Outlet,
): void {
  ledger.keepWaiting(model, keepAlive, pinned);
  for (const runner of ledger.runnersOf(model)) {
    if (isReturning(runner)) continue;
    ledger.keep(runner, keepAlive, pinned);
    const idleMs = idleFor(runner, ledger.now());
    out.command(runner.id, { type: 'runner.keep', keepAlive, pinned, idleMs });
  }
}

/** How long a runner has been idle, in ms; 0 for one that is not. */
export const idleFor = ({ state, stateSinceMs }: RunnerRow, nowMs: number): number =>
  state === 'idle' ? nowMs - stateSinceMs : 0;

/** Shutdown: the queue is answered, running leases may finish within `drainMs`, everything else goes. */
export function drainAll(ledger: Ledger, { drainMs }: EventOf<'scheduler.drain'>, out: Outlet): void {
  refuse(ledger, ledger.allWaiting(), shuttingDown, out);
  for (const waiting of ledger.allWaiting()) ledger.withdraw(waiting.leaseId);
  for (const runner of ledger.runners.values()) {
    out.command(runner.id, { type: 'runner.expire', reason: 'Corral is shutting down', drainMs });
    ledger.dismiss(runner.id);
  }
}

export function stopAll(ledger: Ledger, out: Outlet): void {
  for (const runner of ledger.runners.values())
    out.command(runner.id, { type: 'runner.stop', failure: shuttingDown });
}
