import { fromPromise, type PromiseActorLogic } from 'xstate';
import type { VirtualClock } from './virtual-clock.ts';

/** What a modelled effect answers, and after how long. `never` hangs. */
export type Answer<Output> =
  | { readonly afterMs: number; readonly value: Output }
  | { readonly afterMs: number; readonly error: Error }
  | 'never';

/**
 * A promise actor whose answer comes in virtual time, with no promise in it: microtasks would let virtual time run ahead
 * of its own events. Everything but the start is XState's own promise logic.
 */
export function answerLater<Output, Input>(
  clock: VirtualClock,
  answer: (input: Input) => Answer<Output>,
): PromiseActorLogic<Output, Input> {
  const logic = fromPromise<Output, Input>(() => new Promise<never>(() => {}));
  return {
    ...logic,
    start: (snapshot, { self }) => {
      if (snapshot.status !== 'active') return;
      // The input is there while the promise is pending.
      const due = answer(snapshot.input as Input);
      if (due === 'never') return;
      const event =
        'error' in due
          ? { type: 'xstate.promise.reject', data: due.error }
          : { type: 'xstate.promise.resolve', data: due.value };
      clock.setTimeout(() => {
        if (self.getSnapshot().status === 'active') self.send(event as never);
      }, due.afterMs);
    },
  };
}
