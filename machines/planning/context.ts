import type { ModelSpec } from '../vocabulary.ts';
import type { DeviceView } from './view.ts';

const GIB = 1024 ** 3;
/** Tokens by the memory of all GPUs together, as Ollama chooses (its behaviour N10: 47 and 23 GiB). */
const BY_GPU_MEMORY: readonly (readonly [atLeastBytes: number, contextTokens: number])[] = [
  [47 * GIB, 262_144],
  [23 * GIB, 32_768],
];
const SMALLEST_TOKENS = 4_096;

/** The contexts to choose from for a model that was trained with so many tokens, the largest first. */
export const contextSteps = (trainedTokens: number): readonly number[] => {
  const steps = [...BY_GPU_MEMORY.map(([, tokens]) => tokens), SMALLEST_TOKENS];
  return [...new Set(steps.map((tokens) => Math.min(tokens, trainedTokens)))];
};

/** A model with the largest of its contexts that these GPUs are meant for; one whose context is fixed stays as it is. */
export function withContextFor(spec: ModelSpec, devices: Iterable<DeviceView>): ModelSpec {
  if (spec.contexts === undefined) return spec;
  let gpuBytes = 0;
  for (const { kind, totalBytes } of devices) if (kind !== 'cpu') gpuBytes += totalBytes;
  const limit = BY_GPU_MEMORY.find(([atLeast]) => gpuBytes >= atLeast)?.[1] ?? SMALLEST_TOKENS;
  return withChoice(spec, ({ contextTokens }) => contextTokens <= limit) ?? smallest(spec);
}

/** The same model with the next smaller context; null where there is none. */
export const withLessContext = (spec: ModelSpec): ModelSpec | null =>
  withChoice(spec, ({ contextTokens }) => contextTokens < spec.launch.contextTokens);

const smallest = (spec: ModelSpec): ModelSpec =>
  withChoice(spec, (choice) => choice === spec.contexts?.at(-1)) ?? spec;

function withChoice(
  spec: ModelSpec,
  matches: (choice: NonNullable<ModelSpec['contexts']>[number]) => boolean,
): ModelSpec | null {
  const choice = spec.contexts?.find(matches);
  if (!choice) return null;
  const { contextTokens, needBytes } = choice;
  return { ...spec, launch: { ...spec.launch, contextTokens }, needBytes };
}
