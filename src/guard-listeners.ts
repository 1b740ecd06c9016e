import type { Observer } from 'xstate';
import type { Scheduler } from './ledger-of.ts';

/**
 * Has whoever listens to the scheduler unable to hurt it: what a listener throws is told to `onBroken`, and the others are
 * called all the same. XState would throw it where nobody can catch it, which ends the service.
 */
export function guardListeners(scheduler: Scheduler, onBroken: (error: unknown) => void): void {
  const guarded =
    <Args extends readonly unknown[]>(listener: (...args: Args) => void) =>
    (...args: Args): void => {
      try {
        listener(...args);
      } catch (error) {
        onBroken(error);
      }
    };
  const guardedObserver = <T>(observer: Observer<T>): Observer<T> => ({
    ...(observer.next && { next: guarded(observer.next.bind(observer)) }),
    ...(observer.error && { error: guarded(observer.error.bind(observer)) }),
    ...(observer.complete && { complete: guarded(observer.complete.bind(observer)) }),
  });
  const on = scheduler.on.bind(scheduler);
  scheduler.on = (type, listener) => on(type, guarded(listener));
  const subscribe = scheduler.subscribe.bind(scheduler);
  scheduler.subscribe = (listener) =>
    subscribe(guardedObserver(typeof listener === 'function' ? { next: listener } : listener));
  const inspect = scheduler.system.inspect.bind(scheduler.system);
  scheduler.system.inspect = (listener) =>
    inspect(guardedObserver(typeof listener === 'function' ? { next: listener } : listener));
}
