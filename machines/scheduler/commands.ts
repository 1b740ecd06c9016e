import type { Failure } from '../failures.ts';
import { isReturning } from '../planning/sharing.ts';
import type { Ledger } from './ledger.ts';
import { refuse, type Outlet } from './steps.ts';
import type { EventOf } from './contract.ts';

export const shuttingDown: Failure = {
  code: 'shutting_down',
  message: 'Corral is shutting down. Try again once it is back.',
  retryAfterSeconds: 10,
};

/** Stops a model: its waiting requests are answered, a load is aborted, running leases may finish within `drainMs`. */
export function unloadModel(ledger: Ledger, { model, drainMs }: EventOf<'model.unload'>, out: Outlet): void {
  const failure: Failure = { code: 'stopped', message: `${model} was stopped on request.` };
  refuse(ledger, ledger.takeWaiting(model), failure, out);
  for (const runner of ledger.runnersOf(model)) {
    if (drainMs === 0) out.command(runner.id, { type: 'runner.stop', failure });
    else out.command(runner.id, { type: 'runner.expire', reason: 'it was stopped on request', drainMs });
    ledger.dismiss(runner.id);
  }
}

export function keepModel(
  ledger: Ledger,
  { model, keepAlive, pinned }: EventOf<'model.keep'>,
  out: Outlet,
): void {
  for (const runner of ledger.runnersOf(model)) {
    if (isReturning(runner)) continue;
    Object.assign(runner, { keepAlive, pinned });
    out.command(runner.id, { type: 'runner.keep', keepAlive, pinned });
  }
}

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
