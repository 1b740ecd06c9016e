import type { ModelSpec } from '../../../machines/vocabulary.ts';
import { badRequest, RequestError } from '../openai-errors.ts';
import type { Capability } from './capabilities.ts';
import type { ModelCards } from './model-cards.ts';

/** Why a model lacks what it was asked for, and what to do. */
const reasons: Readonly<Record<Capability, string>> = {
  completion: 'it makes embeddings only: use /api/embed',
  embedding: 'it is not started for it',
  tools: 'its chat template does not know of any; "--chat-template-file" among its args brings another one',
  thinking: 'its chat template does not know of it; send no "think"',
  insert: 'it has no tokens for filling gaps; send no "suffix"',
  vision: 'it was given no projector to see images with',
};

interface Asked {
  /** As Ollama calls what was asked. */
  readonly name: 'chat' | 'generate';
  /** As its client calls the model. */
  readonly model: string;
  readonly wanted: readonly Capability[];
  readonly spec: ModelSpec;
  readonly cards: ModelCards;
}

/**
 * Refuses, before anything is loaded, what a model cannot do: clients of Ollama go by these words and send the request again without
 * it. Throws a `RequestError` (400).
 */
export async function refuseLacking({ name, model, wanted, spec, cards }: Asked): Promise<void> {
  // A plain conversation costs no look at the file.
  const has = wanted.length > 0 || spec.launch.embedding ? await cards.capabilitiesOf(spec) : null;
  if (has === null) return;
  const lacking = (['completion', ...wanted] as const).find((one) => !has.includes(one));
  if (lacking === undefined) return;
  const what = lacking === 'completion' ? name : lacking;
  throw new RequestError(
    badRequest(`"${model}" does not support ${what}: ${reasons[lacking]}`, 'not_supported'),
  );
}
