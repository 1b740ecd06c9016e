import type { RunnerState } from '../machines/runner/contract.ts';
import type { Foreign } from '../machines/vocabulary.ts';
import type { Catalogue, CatalogueEntry } from './catalogue.ts';
import { findModel, isPattern, matches, normalName } from './config/model-names.ts';
import type { Config, Variant } from './config/schema.ts';
import type { ModelListing } from './http/model-list.ts';

/** What a request is served by. */
export interface Chosen {
  /** A name of a model, or one that there is not. */
  readonly model: string;
  /** How the model is asked under that name; null for as the request says. */
  readonly variant: Variant | null;
  /** What is different of it where another program than llama-server serves it. */
  readonly foreign?: Foreign;
}

export interface NamingParts {
  readonly catalogue: Pick<Catalogue, 'entries' | 'configured'>;
  readonly config: () => Pick<Config, 'anyOf' | 'defaultModel'>;
  /** Of a model's youngest runner; undefined when it has none. */
  readonly stateOf: (model: string) => RunnerState | undefined;
}

const SERVES: readonly (RunnerState | undefined)[] = ['ready', 'idle'];

/** What names mean besides being those of models: variants, several models under one name, and who serves when there is none. */
export class ModelNaming {
  readonly #parts: NamingParts;
  #config: Pick<Config, 'anyOf' | 'defaultModel'> | null = null;
  #configured: readonly CatalogueEntry[] = [];
  /** By their names as they are compared. */
  #several: ReadonlyMap<string, readonly string[]> = new Map();
  #isPlain = true;

  constructor(parts: NamingParts) {
    this.#parts = parts;
  }

  /** What serves a request that names this, or nothing; null when it names nothing and nothing is meant for that. */
  choose(asked: string | undefined): Chosen | null {
    this.#refresh();
    if (this.#isPlain) return asked === undefined ? null : { model: asked, variant: null };
    const found = asked === undefined ? null : this.#find(asked);
    if (found) return found;
    const fallback = this.#parts.config().defaultModel;
    if (fallback !== undefined) return this.#find(fallback) ?? { model: fallback, variant: null };
    return asked === undefined ? null : { model: asked, variant: null };
  }

  /** Of a name that stands for several models the one that serves now; any other as it is. */
  oneOf(name: string): string {
    this.#refresh();
    const several = this.#several.get(normalName(name));
    if (!several) return name;
    const known = several.filter((one) => this.#entryOf(one)?.spec);
    const stateOf = (one: string): RunnerState | undefined =>
      this.#parts.stateOf(this.#entryOf(one)?.name ?? one);
    return (
      known.find((one) => SERVES.includes(stateOf(one))) ??
      known.find((one) => stateOf(one) === 'loading') ??
      known[0] ??
      several[0] ??
      name
    );
  }

  /** The names that stand for several models, each with the one that serves now. */
  get several(): ReadonlyMap<string, string> {
    return new Map(Object.keys(this.#parts.config().anyOf).map((name) => [name, this.oneOf(name)]));
  }

  /** The model that serves a path which only other programs serve, for a request that names none: one that is loaded, else the first. */
  ofPath(path: string): string | null {
    const serve = this.#parts.catalogue.entries.filter(
      ({ spec }) => spec?.foreign && servesPath(spec.foreign, path),
    );
    const isLoaded = ({ name }: CatalogueEntry): boolean => SERVES.includes(this.#parts.stateOf(name));
    return (serve.find(isLoaded) ?? serve[0])?.name ?? null;
  }

  #find(asked: string): Chosen | null {
    const model = this.oneOf(asked);
    const entry = this.#entryOf(model);
    if (!entry) return null;
    const foreign = entry.spec?.foreign;
    return { model, variant: variantOf(entry, model), ...(foreign && { foreign }) };
  }

  #entryOf(name: string): CatalogueEntry | undefined {
    return findModel(name, this.#parts.catalogue.entries);
  }

  /** Both are replaced by others when a configuration is read again. */
  #refresh(): void {
    const config = this.#parts.config();
    const { configured } = this.#parts.catalogue;
    if (config === this.#config && configured === this.#configured) return;
    this.#config = config;
    this.#configured = configured;
    this.#several = new Map(Object.entries(config.anyOf).map(([name, models]) => [normalName(name), models]));
    this.#isPlain =
      this.#several.size === 0 &&
      config.defaultModel === undefined &&
      configured.every(
        ({ variants = {}, spec }) => Object.keys(variants).length === 0 && spec?.foreign === undefined,
      );
  }
}

const variantOf = ({ variants = {} }: CatalogueEntry, name: string): Variant | null => {
  const names = Object.keys(variants);
  const found =
    names.find((one) => normalName(one) === normalName(name)) ??
    names.find((one) => isPattern(one) && matches(one, name));
  return found === undefined ? null : (variants[found] ?? null);
};

/** Whether another program serves a path. */
export const servesPath = ({ paths }: Foreign, path: string): boolean =>
  paths.some((one) => (one.endsWith('*') ? path.startsWith(one.slice(0, -1)) : one === path));

/** The names that stand for several models as such of the one that serves now. */
export function withSeveral(models: readonly ModelListing[], naming: ModelNaming): readonly ModelListing[] {
  const several = [...naming.several].map(([name, one]) => [name, findModel(one, models)?.name] as const);
  if (several.length === 0) return models;
  return models.map((model) => ({
    ...model,
    aliases: [...model.aliases, ...several.flatMap(([name, of]) => (of === model.name ? [name] : []))],
  }));
}
