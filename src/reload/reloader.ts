import type { Logger } from 'pino';
import type { SchedulerSettings } from '../../machines/scheduler/contract.ts';
import type { ModelSpec } from '../../machines/vocabulary.ts';
import type { Catalogue, CatalogueEntry } from '../catalogue.ts';
import { ConfigError } from '../config/config-error.ts';
import type { Resolved } from '../config/resolve-models.ts';
import type { Config } from '../config/schema.ts';
import { ledgerOf, type Scheduler } from '../ledger-of.ts';
import { assertLoading, type ReloadWishes } from '../management/parts.ts';
import { ProblemError } from '../management/problem.ts';
import type { NeededConsent, ReloadReport } from '../management/schemas.ts';
import { commandFor, neededConsents } from './consent.ts';
import { diffModels } from './diff-models.ts';
import { applicable, diffSettings } from './diff-settings.ts';
import { diffText } from './diff-text.ts';

/** Who wants the configuration to be read again. */
export type Trigger = 'signal' | 'file' | 'folder' | 'api';

export interface ReloadParts {
  readonly scheduler: Scheduler;
  readonly catalogue: Catalogue;
  readonly log: Logger;
  /** Reads the configuration as it is now. Throws a `ConfigError`. */
  readonly read: () => Config;
  /** Reads its models. Throws a `ConfigError` for a configuration that would leave Corral open to anybody. */
  readonly resolve: (config: Config) => Promise<Resolved>;
  readonly settingsOf: (config: Config) => SchedulerSettings;
  /** Is told of each configuration that counts from now on, once the models and the scheduler have it. */
  readonly onApplied: (config: Config) => void;
}

/**
 * Takes over a new configuration while everything runs, one at a time. One that cannot be used changes nothing: what is wrong with it
 * is logged and thrown.
 */
export class Reloader {
  readonly #parts: ReloadParts;
  #config: Config;
  #last: Promise<unknown> = Promise.resolve();

  constructor(config: Config, parts: ReloadParts) {
    this.#config = config;
    this.#parts = parts;
  }

  /** The configuration that counts now. */
  get config(): Config {
    return this.#config;
  }

  /**
   * Reads the configuration again; unless it is a dry run it counts from then on. Rejects with a `ConfigError`; with a `ProblemError`
   * where it takes much away and nobody has said that this is meant; and with a `ServiceError` when Corral is shutting down.
   */
  reload(trigger: Trigger, wishes: ReloadWishes = {}): Promise<ReloadReport> {
    const reloading = this.#last.then(() => this.#reload(trigger, wishes));
    this.#last = reloading.catch((error: unknown) => this.#tell(error, trigger));
    return reloading;
  }

  async #reload(trigger: Trigger, wishes: ReloadWishes): Promise<ReloadReport> {
    const isDry = wishes.dryRun ?? false;
    const { scheduler, catalogue, log } = this.#parts;
    assertLoading({ scheduler });
    const { wanted, config, entries, warnings } = await this.#read();
    assertLoading({ scheduler });
    const models = diffModels(
      { entries: catalogue.configured, maxQueue: this.#config.limits.queue },
      { entries, maxQueue: config.limits.queue },
      ledgerOf(scheduler),
    );
    const settings = diffSettings(this.#config, wanted);
    const needed = neededConsents(
      { config: this.#config, entries: catalogue.configured },
      { config, entries },
    ).filter(({ consent }) => !wishes[consent]);
    if (!isDry && needed.length > 0) throw refused(needed);
    const text = diffText(models, settings);
    if (!isDry) this.#apply(config, entries, new Set(models.map(({ name }) => name)));
    for (const line of text) log.info({ event: isDry ? 'config.compared' : 'config.changed', trigger }, line);
    log.info(
      { event: isDry ? 'config.compared' : 'config.reloaded', trigger },
      text.length === 0
        ? 'nothing in the configuration has changed'
        : `${text.length} ${text.length === 1 ? 'change' : 'changes'}`,
    );
    return { applied: !isDry, models, settings, warnings, needed, text };
  }

  async #read(): Promise<Resolved & { readonly wanted: Config; readonly config: Config }> {
    const wanted = this.#parts.read();
    const config = applicable(this.#config, wanted);
    return { wanted, config, ...(await this.#parts.resolve(config)) };
  }

  #tell(error: unknown, trigger: Trigger): void {
    const { log } = this.#parts;
    if (error instanceof ConfigError)
      log.error(
        { event: 'config.rejected', trigger, file: error.file, problems: error.problems },
        `the configuration cannot be used, and the old one stays:\n${error.message}`,
      );
    else if (error instanceof ProblemError) log.error({ event: 'config.refused', trigger }, error.message);
    else log.error({ event: 'config.rejected', trigger, err: error }, 'the old configuration stays');
  }

  #apply(config: Config, entries: readonly CatalogueEntry[], different: ReadonlySet<string>): void {
    const { scheduler, catalogue, settingsOf, onApplied } = this.#parts;
    const before = specsOf(catalogue.entries);
    const { models: modelsBefore } = this.#config;
    catalogue.replace(entries);
    const after = specsOf(catalogue.entries);
    const changed = [...after.values()].filter(({ name }) => different.has(name));
    const isWanted = (spec: ModelSpec): boolean => {
      const was = before.get(spec.name);
      if (spec.pinned) return !was?.pinned || was.classKey !== spec.classKey;
      return (config.models[spec.name]?.preload ?? false) && !modelsBefore[spec.name]?.preload;
    };
    this.#config = config;
    scheduler.send({
      type: 'config.changed',
      change: {
        settings: settingsOf(config),
        changed,
        classesBefore: new Map([...before].map(([name, { classKey }]) => [name, classKey])),
        removed: [...before.keys()].filter((name) => !after.has(name)),
        preload: [...after.values()].filter(isWanted),
      },
    });
    onApplied(config);
  }
}

function refused(needed: readonly NeededConsent[]): ProblemError {
  const reasons = needed.map(({ reason }) => reason).join('; and ');
  const detail = `the configuration stays as it was: ${reasons}. If that is meant, say so: ${commandFor(needed)}`;
  const errors = needed.map(({ consent, reason }) => ({ path: `body.${consent}`, message: reason }));
  return new ProblemError(409, 'consent_needed', detail, { errors });
}

const specsOf = (entries: readonly CatalogueEntry[]): ReadonlyMap<string, ModelSpec> =>
  new Map(entries.flatMap(({ name, spec }) => (spec ? [[name, spec]] : [])));
