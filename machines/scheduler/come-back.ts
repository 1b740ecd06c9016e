import { canStartNow } from '../planning/admission.ts';
import type { ModelRow } from '../model/contract.ts';
import type { ModelSpec } from '../vocabulary.ts';
import type { LedgerReader } from './ledger-reader.ts';

type Models = ReadonlyMap<string, ModelRow>;

const NOBODY: readonly ModelSpec[] = [];
const knownDisplaced = new WeakMap<Models, readonly ModelSpec[]>();

/** Models that had to go for others, and are to come back. Tables are never written in place, so they are looked for once. */
function displacedIn(models: Models): readonly ModelSpec[] {
  let found = knownDisplaced.get(models);
  if (found !== undefined) return found;
  found = [...models.values()].flatMap(({ context }) => context.displacedAs ?? NOBODY);
  knownDisplaced.set(models, found);
  return found;
}

/** The first model that was to be loaded from the start, had to go, and fits again without anybody having to go; null while others wait. */
export function whoComesBack(ledger: LedgerReader): ModelSpec | null {
  const displaced = displacedIn(ledger.models);
  if (displaced.length === 0 || ledger.queues.size > 0 || ledger.claims.size > 0) return null;
  const nowMs = ledger.now();
  return (
    displaced.find(
      (spec) =>
        ledger.runnersOf(spec.name).length === 0 &&
        ledger.retryAtMs(spec.name) <= nowMs &&
        canStartNow(spec, ledger),
    ) ?? null
  );
}
