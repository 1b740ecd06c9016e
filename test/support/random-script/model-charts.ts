import type { ModelState, Presence } from '../../../machines/model/contract.ts';
import { isReturning, isServing } from '../../../machines/planning/sharing.ts';
import type { LedgerReader } from '../../../machines/scheduler/ledger-reader.ts';

/** Where a model's chart must stand, by all that the tables say of its requests, claims and processes. */
const expected = (model: string, ledger: LedgerReader): Pick<ModelState, 'requests' | 'process'> => ({
  requests: ledger.queuesOf(model).length === 0 ? 'none' : hasClaim(model, ledger) ? 'claiming' : 'waiting',
  process: presenceOf(model, ledger),
});

const hasClaim = (model: string, { claims }: LedgerReader): boolean =>
  [...claims.values()].some(({ spec }) => spec.name === model);

function presenceOf(model: string, ledger: LedgerReader): Presence {
  const runners = ledger.runnersOf(model);
  if (runners.some(isServing)) return 'serving';
  if (runners.some(({ state }) => state === 'loading')) return 'starting';
  return runners.some(isReturning) ? 'leaving' : 'none';
}

/** What a model's chart says and the tables do not, or the other way round; empty when they agree. */
export function disagreements(ledger: LedgerReader, lateMs: number): readonly string[] {
  return [...ledger.models].flatMap(([model, { state, context }]) => {
    const { requests, process } = expected(model, ledger);
    const { failures, alone, pinnedAs } = context;
    const overdue = state.loads === 'backing-off' && failures.retryAtMs + lateMs < ledger.now();
    return [
      ...(state.requests === requests
        ? []
        : [`${model} is ${state.requests}, and its requests are ${requests}`]),
      ...(state.process === process
        ? []
        : [`${model} is ${state.process}, and its processes are ${process}`]),
      ...((state.device === 'alone') === alone.length > 0 ? [] : [`${model} is alone for nobody`]),
      ...((state.pin === 'pinned') === (pinnedAs !== null) ? [] : [`${model} is pinned as nothing`]),
      ...(overdue ? [`${model} backs off beyond its time`] : []),
    ];
  });
}
