import type { LedgerReader } from '../../machines/scheduler/ledger-reader.ts';
import { isReturning } from '../../machines/planning/sharing.ts';
import type { CatalogueEntry } from '../catalogue.ts';
import type { ModelDifference } from '../management/schemas.ts';
import { modelFields } from './model-fields.ts';

/** All models of a configuration, and how many requests may wait for one that does not say. */
export interface Models {
  readonly entries: readonly CatalogueEntry[];
  readonly maxQueue: number;
}

type Tables = Pick<LedgerReader, 'runnersOf' | 'queuesOf'>;

/** Which models are new, gone or different, and whom that concerns now. */
export function diffModels(before: Models, after: Models, ledger: Tables): readonly ModelDifference[] {
  const old = new Map(before.entries.map((entry) => [entry.name, entry]));
  const names = new Set(after.entries.map(({ name }) => name));
  return [
    ...after.entries.flatMap((is) => {
      const was = old.get(is.name);
      return was ? changed([was, before.maxQueue], [is, after.maxQueue], ledger) : [aboutNew(is)];
    }),
    ...before.entries.filter(({ name }) => !names.has(name)).map((entry) => gone(entry, ledger)),
  ];
}

const aboutNew = ({ name, spec, problem }: CatalogueEntry): ModelDifference => ({
  name,
  change: 'added',
  fields: [
    spec
      ? { key: 'path', from: null, to: spec.launch.modelPath }
      : { key: 'problem', from: null, to: problem?.message ?? null },
  ],
  runners: [],
  waiting: 0,
});

const gone = ({ name }: CatalogueEntry, ledger: Tables): ModelDifference => ({
  name,
  change: 'removed',
  fields: [],
  runners: leaving(name, ledger),
  waiting: ledger.queuesOf(name).reduce((sum, { order }) => sum + order.length, 0),
});

type Told = Parameters<typeof modelFields>;

function changed(before: Told, after: Told, ledger: Tables): ModelDifference[] {
  const [[was], [is]] = [before, after];
  const [from, to] = [modelFields(...before), modelFields(...after)];
  const keys = [...new Set([...from.keys(), ...to.keys()])];
  const fields = keys
    .map((key) => ({ key, from: from.get(key) ?? null, to: to.get(key) ?? null }))
    .filter((field) => field.from !== field.to);
  const isAnother = was.spec?.classKey !== is.spec?.classKey;
  if (fields.length === 0 && !isAnother) return [];
  if (fields.length === 0) fields.push({ key: 'file', from: 'as it was', to: 'replaced' });
  const runners = isAnother ? leaving(is.name, ledger) : [];
  return [{ name: is.name, change: 'changed', fields, runners, waiting: 0 }];
}

const leaving = (name: string, ledger: Pick<LedgerReader, 'runnersOf'>): string[] =>
  ledger.runnersOf(name).flatMap((runner) => (isReturning(runner) ? [] : [runner.id]));
