import type { Failure } from '../machines/failures.ts';
import type { SchedulerEmitted } from '../machines/scheduler/contract.ts';
import type { LedgerReader } from '../machines/scheduler/ledger-reader.ts';
import type { RunnerRow } from '../machines/scheduler/tables.ts';
import type { ModelSpec } from '../machines/vocabulary.ts';
import type { Variant } from './config/schema.ts';
import { ServiceError } from './errors.ts';
import type { FitQuestion } from './fit/fit-question.ts';
import type { ModelListing } from './http/model-list.ts';

/** A configured model: what the scheduler needs of it, or why it cannot be used. */
export interface CatalogueEntry {
  readonly name: string;
  /** Names of variants among them. */
  readonly aliases: readonly string[];
  /** How it is asked under some of its names; absent: everywhere as the request says. */
  readonly variants?: Readonly<Record<string, Variant>>;
  readonly createdAtSeconds: number;
  readonly spec: ModelSpec | null;
  readonly problem: Failure | null;
  /** What llama-fit-params can say of its need; absent where that is known, or there is no such tool. */
  readonly question?: FitQuestion;
}

/** How names find models: exact, by alias, forgiving in what people get wrong. */
export interface NameSearch {
  find(name: string, entries: readonly CatalogueEntry[]): CatalogueEntry | undefined;
  nearMisses(name: string, names: readonly string[]): readonly string[];
}

type Kept = Pick<ModelSpec, 'keepAlive' | 'pinned'>;

export type Learned = Extract<SchedulerEmitted, { type: 'model.learned' }>;

/** All configured models, and what has been learned of them. */
export class Catalogue {
  #configured: readonly CatalogueEntry[];
  #entries: CatalogueEntry[];
  /** What somebody has asked for since the start, and the configuration does not say. */
  readonly #kept = new Map<string, Kept>();
  readonly #search: NameSearch;
  readonly #remember: (learned: Learned) => void;

  /** `remember` keeps what a load has taught across restarts. */
  constructor(
    entries: readonly CatalogueEntry[],
    search: NameSearch,
    remember: (learned: Learned) => void = () => {},
  ) {
    this.#configured = entries;
    this.#entries = [...entries];
    this.#search = search;
    this.#remember = remember;
  }

  get entries(): readonly CatalogueEntry[] {
    return this.#entries;
  }

  /** The models as the configuration has them, whatever was asked for since. */
  get configured(): readonly CatalogueEntry[] {
    return this.#configured;
  }

  /** A new configuration. A model that somebody has pinned, or unpinned, stays so unless the configuration of just that has changed. */
  replace(entries: readonly CatalogueEntry[]): void {
    const specsOf = (all: readonly CatalogueEntry[]) => new Map(all.map(({ name, spec }) => [name, spec]));
    const [before, after] = [specsOf(this.#configured), specsOf(entries)];
    for (const name of this.#kept.keys()) {
      const [was, is] = [before.get(name), after.get(name)];
      if (is?.keepAlive !== was?.keepAlive || is?.pinned !== was?.pinned) this.#kept.delete(name);
    }
    this.#configured = entries;
    this.#entries = entries.map((entry) => {
      const kept = this.#kept.get(entry.name);
      return entry.spec && kept ? { ...entry, spec: { ...entry.spec, ...kept } } : entry;
    });
  }

  /** The entry of a name or alias, usable or not. Throws a `ServiceError` when there is none: near misses first. */
  find(name: string): CatalogueEntry {
    const entry = this.#search.find(name, this.#entries);
    if (!entry) throw new ServiceError(this.#unknown(name));
    return entry;
  }

  /** The model of a name or alias. Throws a `ServiceError`: unknown, or its file is no model. */
  resolve(name: string): ModelSpec {
    const entry = this.find(name);
    if (entry.spec) return entry.spec;
    throw new ServiceError(
      entry.problem ?? { code: 'model_file_invalid', message: `${entry.name} cannot be used.` },
    );
  }

  list(ledger: LedgerReader): readonly ModelListing[] {
    return this.#entries.map(({ name, aliases, createdAtSeconds, spec }) => ({
      name,
      aliases,
      createdAtSeconds,
      ...stateOf(name, spec, ledger),
      // One that is loaded may have got less than it could have.
      contextTokens: (ledger.runnersOf(name).at(-1)?.spec ?? spec)?.launch.contextTokens ?? 0,
      needBytes: spec?.needBytes ?? 0,
      devices: heldBy(ledger.runnersOf(name)),
    }));
  }

  /** From now on a model's runners stay for so long; the model as it is then. */
  keep(spec: ModelSpec, kept: Kept): ModelSpec {
    this.#kept.set(spec.name, kept);
    const index = this.#entries.findIndex(({ name }) => name === spec.name);
    const entry = this.#entries[index];
    const changed = { ...spec, ...kept };
    if (entry) this.#entries[index] = { ...entry, spec: changed };
    return changed;
  }

  /** From now on a measured need replaces the predicted one. */
  learn(learned: Learned): void {
    this.#remember(learned);
    const { needBytes, hostBytes } = learned;
    if (needBytes === null) return;
    const index = this.#entries.findIndex(({ spec }) => spec?.classKey === learned.classKey);
    const entry = this.#entries[index];
    if (entry?.spec && entry.spec.needSource !== 'configured' && entry.spec.contexts === undefined)
      this.#entries[index] = {
        ...entry,
        spec: {
          ...entry.spec,
          needBytes,
          needSource: 'measured',
          ...(hostBytes !== undefined && { hostBytes }),
        },
      };
  }

  /** From now on what llama-fit-params has said replaces the prediction; of a model that is another one by now it says nothing. */
  refine(
    classKey: string,
    need: Pick<ModelSpec, 'needBytes' | 'needSource' | 'hostBytes' | 'needParts'>,
  ): void {
    const index = this.#entries.findIndex(({ spec }) => spec?.classKey === classKey);
    const entry = this.#entries[index];
    if (entry?.spec?.needSource !== 'predicted') return;
    this.#entries[index] = { ...entry, spec: { ...entry.spec, ...need } };
  }

  #unknown(name: string): Failure {
    const names = this.#entries.map((entry) => entry.name);
    const near = this.#search.nearMisses(name, [
      ...names,
      ...this.#entries.flatMap(({ aliases }) => aliases),
    ]);
    const guess = near[0] === undefined ? '' : ` Did you mean '${near[0]}'?`;
    const rest = [...near, ...names.filter((other) => !near.includes(other))];
    const known = rest.length > 0 ? `Models: ${rest.join(', ')}.` : 'No model is configured.';
    return { code: 'model_not_found', message: `model '${name}' not found.${guess} ${known}` };
  }
}

/** Of its youngest runner; without one, why there is none. */
function stateOf(
  name: string,
  spec: ModelSpec | null,
  ledger: LedgerReader,
): Pick<ModelListing, 'state' | 'failure'> {
  if (!spec) return { state: 'unusable' };
  const runner = ledger.runnersOf(name).at(-1);
  if (runner) return { state: runner.state };
  const failure = ledger.lastFailureOf(name);
  return failure ? { state: 'failed', failure: failure.message } : { state: 'unloaded' };
}

/** What runners hold of each device, all together. */
const heldBy = (runners: readonly Pick<RunnerRow, 'reservation'>[]): Readonly<Record<string, number>> => {
  const held = new Map<string, number>();
  for (const { reservation } of runners)
    for (const [id, bytes] of Object.entries(reservation)) held.set(id, (held.get(id) ?? 0) + bytes);
  return Object.fromEntries(held);
};
