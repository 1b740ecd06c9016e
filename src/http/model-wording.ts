import type { IncomingHttpHeaders } from 'node:http';
import type { DescribedName } from './described-models.ts';
import { anthropic, openai, type Family } from './families.ts';
import { statusValueOf } from './model-status.ts';

/** How one family of APIs tells of models. */
export interface ModelWording {
  readonly family: Family;
  readonly entry: (described: DescribedName) => object;
  readonly list: (described: readonly DescribedName[]) => object;
}

/**
 * OpenAI's. Its clients learn the rest from members that other servers have added, so that they are here under the same names: the
 * context from `context_length` (OpenRouter), `max_model_len` (vLLM) or `meta.n_ctx` (llama-server), what goes in from `architecture`
 * and what is loaded from `status` (llama.cpp's router). What only Corral knows is under `corral`.
 */
const openaiWording: ModelWording = {
  family: openai,
  entry: ({ name, model, about: { details, abilities } }) => {
    const context = model.contextTokens || undefined;
    return {
      id: name,
      object: 'model',
      created: model.createdAtSeconds ?? 0,
      owned_by: 'corral',
      aliases: [model.name, ...model.aliases].filter((other) => other !== name),
      context_length: context,
      max_model_len: context,
      capabilities: abilities,
      architecture: {
        input_modalities: abilities.includes('vision') ? ['text', 'image'] : ['text'],
        output_modalities: abilities.includes('embedding') ? ['embeddings'] : ['text'],
      },
      status: {
        value: statusValueOf(model.state),
        failed: ['unusable', 'failed'].includes(model.state) || undefined,
      },
      meta: {
        n_ctx: context,
        n_ctx_train: details?.trainedContextTokens ?? undefined,
        n_embd: details?.embeddingLength ?? undefined,
        n_params: details?.parameterCount,
        size: details?.bytes,
      },
      corral: {
        name: model.name,
        aliases: model.aliases,
        state: model.state,
        failure: model.failure,
        context_tokens: model.contextTokens,
        need_bytes: model.needBytes,
        devices: model.devices,
      },
    };
  },
  list: (described) => ({ object: 'list', data: described.map(openaiWording.entry) }),
};

/** Anthropic's: all models are on its one page. A reply may be as long as what is left of the context. */
const anthropicWording: ModelWording = {
  family: anthropic,
  entry: ({ name, model }) => ({
    type: 'model',
    id: name,
    display_name: name,
    created_at: new Date((model.createdAtSeconds ?? 0) * 1_000).toISOString(),
    max_input_tokens: model.contextTokens || null,
    max_tokens: model.contextTokens || null,
  }),
  list: (described) => ({
    data: described.map(anthropicWording.entry),
    has_more: false,
    first_id: described.at(0)?.name ?? null,
    last_id: described.at(-1)?.name ?? null,
  }),
};

/** The form in which a client expects to hear of models: Anthropic's clients always name the version of their API. */
export const modelWordingOf = (headers: IncomingHttpHeaders): ModelWording =>
  headers['anthropic-version'] === undefined ? openaiWording : anthropicWording;
