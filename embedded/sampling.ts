import type { SequenceEvaluateOptions } from 'node-llama-cpp';
import { badRequest } from './api-error.ts';

type Body = Readonly<Record<string, unknown>>;

/** What a request says of how to generate, in llama-server's names. */
export interface Sampling {
  readonly options: SequenceEvaluateOptions;
  /** Infinity: until the model ends, or its context is full. */
  readonly maxTokens: number;
  readonly stop: readonly string[];
  readonly ignoreEnd: boolean;
}

export function samplingOf(body: Body): Sampling {
  const maxTokens = numberIn(body, 'max_completion_tokens', 'max_tokens', 'n_predict');
  const seed = numberIn(body, 'seed');
  const repeatPenalty = numberIn(body, 'repeat_penalty');
  const [presence, frequency] = [numberIn(body, 'presence_penalty'), numberIn(body, 'frequency_penalty')];
  const penalties = repeatPenalty ?? presence ?? frequency;
  return {
    options: {
      temperature: numberIn(body, 'temperature') ?? 0.8,
      topK: numberIn(body, 'top_k') ?? 40,
      topP: numberIn(body, 'top_p') ?? 0.95,
      minP: numberIn(body, 'min_p') ?? 0.05,
      ...(seed !== undefined && seed >= 0 && { seed }),
      ...(penalties !== undefined && {
        repeatPenalty: {
          penalty: repeatPenalty ?? 1,
          presencePenalty: presence ?? 0,
          frequencyPenalty: frequency ?? 0,
          punishTokens: [],
        },
      }),
    },
    maxTokens: maxTokens === undefined || maxTokens < 0 ? Infinity : maxTokens,
    stop: stopsOf(body['stop']),
    ignoreEnd: body['ignore_eos'] === true,
  };
}

function stopsOf(value: unknown): readonly string[] {
  if (value === undefined || value === null) return [];
  const stops: unknown[] = Array.isArray(value) ? value : [value];
  return stops.map((one) => {
    if (typeof one !== 'string') throw badRequest("'stop' must be a string or a list of strings");
    return one;
  });
}

/** The first of some fields that is there; `null` counts as not there. */
export function numberIn(body: Body, ...names: readonly string[]): number | undefined {
  for (const name of names) {
    const value = body[name];
    if (value === undefined || value === null) continue;
    if (typeof value !== 'number') throw badRequest(`'${name}' must be a number`);
    return value;
  }
  return undefined;
}
