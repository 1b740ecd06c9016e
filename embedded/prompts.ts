import type { Token } from 'node-llama-cpp';
import { badRequest } from './api-error.ts';
import type { Engine } from './engine.ts';

/** Throws an `ApiError` (400) for what are no tokens of this model: its library would end with an error of its own. */
export function tokensIn({ vocabulary }: Pick<Engine, 'vocabulary'>, value: unknown): Token[] {
  if (!Array.isArray(value) || !value.every((one) => Number.isInteger(one)))
    throw badRequest("'tokens' must be a list of token ids");
  if (!value.every((one) => one >= 0 && one < vocabulary)) throw badRequest('Prompt contains invalid tokens');
  return value as Token[];
}

/** What is to be completed: a text or a list of tokens, or several of these, or one that is mixed of both, as llama-server takes them. */
export function promptsOf(engine: Engine, prompt: unknown): Token[][] {
  if (prompt === undefined) throw badRequest("'prompt' is required");
  if (!Array.isArray(prompt)) return [tokensOf(engine, prompt)];
  if (prompt.length === 0) throw badRequest("'prompt' must not be empty");
  if (prompt.some((one) => typeof one === 'number')) return [mixed(engine, prompt)];
  return prompt.map((one) => (Array.isArray(one) ? mixed(engine, one) : tokensOf(engine, one)));
}

/** Only the beginning of a prompt begins as the model wants its texts to. */
const mixed = (engine: Engine, parts: readonly unknown[]): Token[] =>
  parts.flatMap((part, at) => {
    if (typeof part === 'number') return tokensIn(engine, [part]);
    return typeof part === 'string' && at > 0
      ? engine.tokenize(part, { special: false })
      : tokensOf(engine, part);
  });

const tokensOf = (engine: Engine, text: unknown): Token[] => {
  if (typeof text === 'string') return engine.tokenize(text, { special: true });
  throw badRequest("'prompt' must be a text, a list of token ids, or a list of these");
};
