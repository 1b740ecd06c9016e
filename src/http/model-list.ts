/** A configured model as clients see it. */
export interface ModelListing {
  readonly name: string;
  /** Other names that requests may use. */
  readonly aliases: readonly string[];
  /** The state of its runner, or `unloaded`. */
  readonly state: string;
  readonly contextTokens: number;
  readonly needBytes: number;
  /** Unix time of the model's file; 0 if unknown. */
  readonly createdAtSeconds?: number;
}

/** The entry of OpenAI's model list, with what Corral knows besides under `corral`. */
const entryOf = (model: ModelListing): object => ({
  id: model.name,
  object: 'model',
  created: model.createdAtSeconds ?? 0,
  owned_by: 'corral',
  corral: {
    aliases: model.aliases,
    state: model.state,
    context_tokens: model.contextTokens,
    need_bytes: model.needBytes,
  },
});

/** The reply to `GET /v1/models`. */
export const modelList = (models: readonly ModelListing[]): object => ({
  object: 'list',
  data: models.map(entryOf),
});

/** The reply to `GET /v1/models/{name}`, or null if no model has this name or alias. */
export const modelEntry = (models: readonly ModelListing[], name: string): object | null => {
  const found = models.find((model) => model.name === name || model.aliases.includes(name));
  return found ? entryOf(found) : null;
};
