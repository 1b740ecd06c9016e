import type { ModelSpec } from '../../../machines/vocabulary.ts';
import type { LoadedModel } from '../../loaded-models.ts';
import type { Capability } from './capabilities.ts';
import type { ModelCard } from './model-cards.ts';
import type { ModelDetails } from './model-details.ts';

/** A model as Ollama's replies tell of it, under one of its names. */
export interface ModelRow extends Pick<ModelCard, 'details' | 'digest'> {
  readonly name: string;
  /** Tokens that one request may use; absent where it is not known. */
  readonly contextTokens?: number;
  readonly capabilities?: readonly Capability[];
}

/** Far enough for its command line to say "Forever". */
const FOREVER_MS = 290 * 365 * 24 * 3_600_000;
/** Go's zero time: its command line says "Stopping…". */
const STOPPING = '0001-01-01T00:00:00Z';

const NEVER_MODIFIED = new Date(0);

const detailsPart = (details: ModelDetails | null, contextTokens?: number): object => ({
  parent_model: '',
  format: 'gguf',
  family: details?.architecture ?? '',
  families: details ? [details.architecture] : [],
  parameter_size: details?.parameterSize ?? '',
  quantization_level: details?.quantization ?? '',
  ...(contextTokens && { context_length: contextTokens }),
  ...(details?.embeddingLength && { embedding_length: details.embeddingLength }),
});

/** `GET /api/tags`. */
export const tagsReply = (rows: readonly ModelRow[]): object => ({
  models: rows.map(({ name, details, digest, contextTokens, capabilities }) => ({
    name,
    model: name,
    modified_at: (details?.modifiedAt ?? NEVER_MODIFIED).toISOString(),
    size: details?.bytes ?? 0,
    digest,
    details: detailsPart(details, contextTokens),
    capabilities,
  })),
});

/** `GET /api/ps`. A model that is in use expires one keep-alive from now. */
export const psReply = (
  rows: readonly (ModelRow & { readonly loaded: LoadedModel })[],
  nowMs: number = Date.now(),
): object => ({
  models: rows.map(({ name, details, digest, loaded }) => ({
    name,
    model: name,
    size: loaded.bytes,
    digest,
    details: detailsPart(details, loaded.contextTokens),
    expires_at: loaded.isLeaving
      ? STOPPING
      : new Date(nowMs + Math.min(loaded.expiresInMs, FOREVER_MS)).toISOString(),
    size_vram: loaded.gpuBytes,
    context_length: loaded.contextTokens,
  })),
});

/** `POST /api/show`. */
export const showReply = (
  { launch }: ModelSpec,
  { details, template }: ModelCard,
  capabilities: readonly Capability[],
): object => ({
  license: details?.license ?? '',
  modelfile: `# Configured in corral.yaml.\nFROM ${details?.fileName ?? ''}\n`,
  parameters: `num_ctx ${launch.contextTokens}`,
  template,
  details: detailsPart(details, launch.contextTokens),
  model_info: { ...details?.info, 'general.parameter_count': details?.parameterCount ?? 0 },
  capabilities,
  modified_at: (details?.modifiedAt ?? NEVER_MODIFIED).toISOString(),
});
