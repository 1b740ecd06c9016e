import type { Failure } from '../failures.ts';
import { overLimit } from '../planning/over-limit.ts';
import { isReturning } from '../planning/sharing.ts';
import type { KeepAliveMode } from '../runner/contract.ts';
import type { ModelSpec } from '../vocabulary.ts';
import type { ConfigChange, SchedulerSettings } from './contract.ts';
import { idleFor } from './commands.ts';
import type { Ledger } from './ledger.ts';
import { evict, preload, refuse, type Outlet } from './steps.ts';
import type { RunnerRow } from './tables.ts';

/**
 * Enters a new configuration. Whoever waits for a model that changed goes on waiting, for the model as it is now; whoever waits
 * for one that is gone is answered. Runners that nothing has changed for are not touched.
 */
export function apply(ledger: Ledger, before: SchedulerSettings, change: ConfigChange, out: Outlet): void {
  const { settings, changed, removed } = change;
  ledger.configure(settings);
  for (const model of removed) removeModel(ledger, model, settings, out);
  for (const spec of changed) changeModel(ledger, spec, change.classesBefore?.get(spec.name), settings, out);
  if (settings.keepAliveMode !== before.keepAliveMode)
    for (const runner of ledger.runners.values()) keep(ledger, runner, runner, out, settings.keepAliveMode);
  for (const spec of change.preload) preload(ledger, spec);
  for (const victim of overLimit(ledger, ledger.now())) evict(ledger, victim, settings, out);
}

function removeModel(ledger: Ledger, model: string, settings: SchedulerSettings, out: Outlet): void {
  ledger.unpin(model);
  ledger.drop(model);
  for (const runner of ledger.runnersOf(model))
    retire(ledger, runner, 'its model is not configured any more', settings, out);
  refuse(ledger, ledger.takeWaiting(model), removedMeanwhile(model), out);
}

const removedMeanwhile = (model: string): Failure => ({
  code: 'model_not_found',
  message: `${model} was taken out of the configuration while the request waited for it.`,
});

function changeModel(
  ledger: Ledger,
  spec: ModelSpec,
  classBefore: string | undefined,
  settings: SchedulerSettings,
  out: Outlet,
): void {
  const runners = ledger.runnersOf(spec.name).filter((runner) => !isReturning(runner));
  for (const runner of runners) {
    const { classKey, keepAlive, pinned } = runner.spec;
    if (classKey !== spec.classKey) retire(ledger, runner, 'its configuration has changed', settings, out);
    else if (keepAlive !== spec.keepAlive || pinned !== spec.pinned) keep(ledger, runner, spec, out);
  }
  ledger.redefine(spec, classBefore);
}

/** Its leases may end within the drain limit. */
function retire(
  ledger: Ledger,
  runner: RunnerRow,
  reason: string,
  { plan: { drainMs } }: SchedulerSettings,
  out: Outlet,
): void {
  out.command(runner.id, { type: 'runner.expire', reason, drainMs });
  ledger.dismiss(runner.id);
}

function keep(
  ledger: Ledger,
  runner: RunnerRow,
  { keepAlive, pinned }: Pick<ModelSpec, 'keepAlive' | 'pinned'>,
  out: Outlet,
  keepAliveMode?: KeepAliveMode,
): void {
  if (isReturning(runner)) return;
  ledger.keep(runner, keepAlive, pinned);
  out.command(runner.id, {
    type: 'runner.keep',
    keepAlive,
    pinned,
    idleMs: idleFor(runner, ledger.now()),
    ...(keepAliveMode && { keepAliveMode }),
  });
}
