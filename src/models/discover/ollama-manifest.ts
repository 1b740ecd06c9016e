import { z } from 'zod';

const DIGEST = /^sha256:([0-9a-f]{64})$/;
const manifestSchema = z.object({
  layers: z.array(z.object({ mediaType: z.string(), digest: z.string().regex(DIGEST) })).max(1_000),
});
const KIND = /^application\/vnd\.ollama\.image\.([a-z.]+)$/;
const HOME_REGISTRY = 'registry.ollama.ai';
const HOME_NAMESPACE = 'library';
/** Layers that are used, or that say nothing about how a model answers. */
const CARRIED = new Set(['model', 'projector', 'adapter', 'params', 'license']);

/** The layers of one of Ollama's models, as names of files in its `blobs` folder. */
export interface OllamaLayers {
  readonly model: string;
  readonly projector: string | null;
  readonly adapters: readonly string[];
  /** JSON with Ollama's parameters. */
  readonly params: string | null;
  /** Kinds of layers that llama-server has no use for: `template` (in Go's language), `system`, `messages`. */
  readonly leftOut: readonly string[];
}

/** Reads a manifest. Throws an Error that says what is wrong with it. */
export function parseOllamaManifest(text: string): OllamaLayers {
  const parsed = manifestSchema.safeParse(JSON.parse(text));
  if (!parsed.success) throw new Error('it is not a manifest with layers and sha256 digests');
  const layers = parsed.data.layers.map(({ mediaType, digest }) => ({
    kind: KIND.exec(mediaType)?.[1] ?? mediaType,
    blob: digest.replace(':', '-'),
  }));
  const blobsOf = (wanted: string): string[] =>
    layers.flatMap(({ kind, blob }) => (kind === wanted ? [blob] : []));
  const [model, another] = blobsOf('model');
  if (model === undefined) throw new Error('it has no model layer in GGUF');
  if (another !== undefined) throw new Error('it has several model layers');
  return {
    model,
    projector: blobsOf('projector')[0] ?? null,
    adapters: blobsOf('adapter'),
    params: blobsOf('params')[0] ?? null,
    leftOut: [...new Set(layers.map(({ kind }) => kind))].filter((kind) => !CARRIED.has(kind)),
  };
}

/**
 * A model's name as Ollama's users write it, from its manifest's place below `manifests`:
 * `registry.ollama.ai/library/qwen3/8b` is `qwen3:8b`. Null when the place is no manifest's.
 */
export function ollamaName(place: string): string | null {
  const [host, namespace, name, tag, more] = place.split('/');
  if (!host || !namespace || !name || !tag || more !== undefined || tag.startsWith('.')) return null;
  const owner = namespace === HOME_NAMESPACE ? [] : [namespace];
  const parts = host === HOME_REGISTRY ? [...owner, name] : [host, namespace, name];
  return `${parts.join('/')}:${tag}`;
}
