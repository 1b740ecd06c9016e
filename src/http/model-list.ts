import type { IncomingHttpHeaders } from 'node:http';
import { anthropic, openai, type Family } from './families.ts';

/** A configured model as clients see it. */
export interface ModelListing {
  readonly name: string;
  /** Other names that requests may use. */
  readonly aliases: readonly string[];
  /** The state of its runner, or `unloaded`. */
  readonly state: string;
  readonly contextTokens: number;
  readonly needBytes: number;
  /** Bytes that its runners hold of each device at present; empty when it is not loaded. */
  readonly devices: Readonly<Record<string, number>>;
  /** Unix time of the model's file; 0 if unknown. */
  readonly createdAtSeconds?: number;
}

/** How one family of APIs tells of models. */
export interface ModelWording {
  readonly family: Family;
  readonly entry: (model: ModelListing) => object;
  readonly list: (models: readonly ModelListing[]) => object;
}

/** OpenAI's, with what Corral knows besides under `corral`. */
const openaiWording: ModelWording = {
  family: openai,
  entry: (model) => ({
    id: model.name,
    object: 'model',
    created: model.createdAtSeconds ?? 0,
    owned_by: 'corral',
    corral: {
      aliases: model.aliases,
      state: model.state,
      context_tokens: model.contextTokens,
      need_bytes: model.needBytes,
      devices: model.devices,
    },
  }),
  list: (models) => ({ object: 'list', data: models.map(openaiWording.entry) }),
};

/** Anthropic's: all models are on its one page. */
const anthropicWording: ModelWording = {
  family: anthropic,
  entry: ({ name, createdAtSeconds = 0 }) => ({
    type: 'model',
    id: name,
    display_name: name,
    created_at: new Date(createdAtSeconds * 1_000).toISOString(),
  }),
  list: (models) => ({
    data: models.map(anthropicWording.entry),
    has_more: false,
    first_id: models.at(0)?.name ?? null,
    last_id: models.at(-1)?.name ?? null,
  }),
};

/** The form in which a client expects to hear of models: Anthropic's clients always name the version of their API. */
export const modelWordingOf = (headers: IncomingHttpHeaders): ModelWording =>
  headers['anthropic-version'] === undefined ? openaiWording : anthropicWording;

/** The model of a name or alias. */
export const findListing = (models: readonly ModelListing[], name: string): ModelListing | undefined =>
  models.find((model) => model.name === name || model.aliases.includes(name));
