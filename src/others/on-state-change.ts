import type { Catalogue } from '../catalogue.ts';
import { ledgerOf } from '../ledger-of.ts';
import type { ControlParts } from './parts.ts';

interface Listener {
  readonly onChange: () => void;
  /** There will be no more changes. */
  readonly onEnd?: () => void;
}

/**
 * Hears whenever a runner comes, goes or changes its state, or models come and go; the answer ends it. Not at each snapshot of the
 * scheduler, of which there are as many as requests that have to wait.
 */
export function onStateChange(parts: ControlParts, { onChange, onEnd }: Listener): () => void {
  let last = stateOf(parts);
  const watching = parts.scheduler.subscribe({
    next: () => {
      const now = stateOf(parts);
      if (now.runners === last.runners && now.configured === last.configured) return;
      last = now;
      onChange();
    },
    complete: () => onEnd?.(),
  });
  return () => watching.unsubscribe();
}

/** All runners and their states, in a word; and the models as they are configured, which a reload replaces. */
const stateOf = ({
  scheduler,
  catalogue,
}: ControlParts): { readonly runners: string; readonly configured: Catalogue['configured'] } => ({
  runners: [...ledgerOf(scheduler).runners.values()].map(({ id, state }) => `${id} ${state}`).join(),
  configured: catalogue.configured,
});
