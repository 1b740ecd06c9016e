import { findModel, isPattern } from '../config/model-names.ts';

/** A configured model as clients see it. */
export interface ModelListing {
  readonly name: string;
  /** Other names that requests may use. */
  readonly aliases: readonly string[];
  /** The state of its runner; without one `unloaded`, `failed` or `unusable`. */
  readonly state: string;
  /** Why it has failed; absent where it has not. */
  readonly failure?: string;
  readonly contextTokens: number;
  readonly needBytes: number;
  /** Bytes that its runners hold of each device at present; empty when it is not loaded. */
  readonly devices: Readonly<Record<string, number>>;
  /** Unix time of the model's file; 0 if unknown. */
  readonly createdAtSeconds?: number;
}

/** A model under one of the names that requests may use. */
export interface ListedName {
  readonly name: string;
  readonly model: ModelListing;
}

/**
 * All names that clients may find in a list, or be configured with: names, aliases, and both with `:latest`, which Ollama's clients
 * add to what has no tag. Each once; what is configured comes before what only `:latest` makes of another name.
 */
export const listedNames = (models: readonly ModelListing[]): readonly ListedName[] => {
  const configured = new Set(namesOf(models));
  const listed = new Map<string, ListedName>();
  for (const model of models)
    for (const given of [model.name, ...model.aliases.filter((alias) => !isPattern(alias))])
      for (const name of [given, `${given}:latest`])
        if (!listed.has(name) && (name === given || !(hasTag(given) || configured.has(name))))
          listed.set(name, { name, model });
  return [...listed.values()];
};

/** All that requests may call models: their names and aliases. */
export const namesOf = (models: readonly Pick<ModelListing, 'name' | 'aliases'>[]): readonly string[] =>
  models.flatMap(({ name, aliases }) => [name, ...aliases]);

/** A colon before a slash belongs to a host. */
const hasTag = (name: string): boolean => name.slice(name.lastIndexOf('/') + 1).includes(':');

/** The model that a name in a path means: as it is listed, else forgiving letter case. */
export const findListed = (models: readonly ModelListing[], name: string): ListedName | undefined => {
  const exact = listedNames(models).find((listed) => listed.name === name);
  if (exact) return exact;
  const model = findModel(name, models);
  return model && { name: model.name, model };
};
