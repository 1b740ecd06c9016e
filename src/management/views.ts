import type { DecisionRecord } from '../../machines/scheduler/contract.ts';
import type { LedgerReader } from '../../machines/scheduler/ledger-reader.ts';
import type { ModelSpec } from '../../machines/vocabulary.ts';
import type { CatalogueEntry } from '../catalogue.ts';
import { toldParts } from '../need-text.ts';
import { momentOf } from '../time-of-day.ts';
import type { DecisionEntry, Explanation, ModelStatus } from './schemas.ts';

export const modelStatus = (
  { name, aliases, spec, problem }: CatalogueEntry,
  ledger: LedgerReader,
): ModelStatus => {
  const runners = ledger.runnersOf(name);
  const failure = runners.length === 0 && spec ? ledger.lastFailureOf(name) : null;
  const trouble = problem ?? failure;
  return {
    name,
    aliases,
    state: spec ? (runners.at(-1)?.state ?? (failure ? 'failed' : 'unloaded')) : 'unusable',
    runners: runners.map(({ id }) => id),
    waiting: ledger.queuesOf(name).reduce((sum, { order }) => sum + order.length, 0),
    problem: trouble && { code: trouble.code, message: trouble.message },
    options: spec && {
      runtime: spec.launch.runtime,
      contextTokens: spec.launch.contextTokens,
      slots: spec.launch.slots,
      embedding: spec.launch.embedding,
      placement: spec.placement,
      devices: spec.devices,
      keepAliveMs: spec.keepAlive,
      pinned: spec.pinned,
      ...needOf(spec),
      loadEstimateMs: Math.round(ledger.reloadSecondsOf(spec) * 1000),
      maxQueue: spec.maxQueue,
      paths: spec.foreign?.paths ?? null,
    },
  };
};

export const needOf = (spec: ModelSpec): NonNullable<Explanation['need']> => ({
  needBytes: spec.needBytes,
  needSource: spec.needSource,
  hostBytes: spec.hostBytes ?? 0,
  needParts: toldParts(spec),
});

/** A line of the decision log. The machines count ms from the start of the program; people want the time of day. */
export const decisionEntry = ({ atMs, reservation, ...record }: DecisionRecord): DecisionEntry => ({
  ...record,
  at: momentOf(atMs),
  reservedBytes: reservation,
});
