import { shuttingDown } from '../../machines/scheduler/commands.ts';
import { ownLeaseOf } from '../../machines/scheduler/steps.ts';
import { canServe, isServing } from '../../machines/planning/sharing.ts';
import type { ModelSpec } from '../../machines/vocabulary.ts';
import { ServiceError } from '../errors.ts';
import { ledgerOf, type Scheduler } from '../ledger-of.ts';

/**
 * Asks for a model to be loaded. Resolves once a runner of it serves; rejects with a `ServiceError` when the load is refused
 * or fails, and with the signal's reason when that aborts: the load goes on, only nobody waits for it.
 */
export function loadModel(scheduler: Scheduler, spec: ModelSpec, signal: AbortSignal): Promise<void> {
  const isLoaded = (): boolean =>
    ledgerOf(scheduler)
      .runnersOf(spec.name)
      .some((runner) => isServing(runner) && canServe(runner.spec, spec));
  return new Promise((resolve, reject) => {
    const subscriptions = [
      scheduler.on('runner.changed', () => isLoaded() && settle(resolve)),
      scheduler.on('request.refused', ({ leaseId, failure }) => {
        if (leaseId === ownLeaseOf(spec)) settle(() => reject(new ServiceError(failure)));
      }),
      scheduler.subscribe({ complete: () => settle(() => reject(new ServiceError(shuttingDown))) }),
    ];
    const abort = (): void => settle(() => reject(signal.reason));
    const settle = (finish: () => void): void => {
      for (const subscription of subscriptions) subscription.unsubscribe();
      signal.removeEventListener('abort', abort);
      finish();
    };
    signal.addEventListener('abort', abort, { once: true });
    scheduler.send({ type: 'model.load', spec });
    if (isLoaded()) settle(resolve);
  });
}
