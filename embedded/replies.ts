import { randomBytes } from 'node:crypto';
import type { Outcome } from './generate.ts';

/** Which of llama-server's reply shapes is wanted. */
export type Shape = 'chat' | 'completion' | 'native';

/** What became of one prompt. */
export interface Result {
  readonly text: string;
  readonly outcome: Outcome;
}

/** Builds the parts of one reply: the same id and time in all of them. */
export class Reply {
  readonly shape: Shape;
  readonly #model: string;
  readonly #id = `chatcmpl-${randomBytes(24).toString('base64url')}`;
  readonly #created = Math.floor(Date.now() / 1000);

  constructor(shape: Shape, model: string) {
    this.shape = shape;
    this.#model = model;
  }

  /** Before the first text: chat streams begin with the role. */
  opening(): object | null {
    return this.shape === 'chat' ? this.#chunk({ delta: { role: 'assistant', content: null } }) : null;
  }

  piece(text: string, index: number): object {
    if (this.shape === 'native') return { index, content: text, tokens: [], stop: false, id_slot: -1 };
    return this.#chunk(
      this.shape === 'chat' ? { delta: { content: text } } : { text, logprobs: null },
      index,
    );
  }

  /** The last chunks of a stream, for one prompt. */
  closing(outcome: Outcome, index: number, includeUsage: boolean): object[] {
    if (this.shape === 'native') return [{ ...this.#native({ text: '', outcome }, index), stop: true }];
    const { finishReason } = outcome;
    const end = this.shape === 'chat' ? { delta: {} } : { text: '', logprobs: null };
    const last = this.#chunk(end, index, finishReason);
    const figures = { usage: usageOf([outcome]), timings: timingsOf(outcome) };
    if (this.shape === 'completion') return [{ ...last, ...figures }];
    if (!includeUsage) return [{ ...last, timings: figures.timings }];
    return [last, { ...this.#head('chat.completion.chunk'), choices: [], ...figures }];
  }

  /** All of it. llama-server's own shape is a list where there are several. */
  whole(results: readonly Result[]): object {
    if (this.shape === 'native') {
      const all = results.map((result, index) => this.#native(result, index));
      return all.length === 1 ? { ...all[0] } : all;
    }
    const contentOf = (text: string): object =>
      this.shape === 'chat' ? { message: { role: 'assistant', content: text } } : { text, logprobs: null };
    const outcomes = results.map(({ outcome }) => outcome);
    const [first] = outcomes;
    return {
      choices: results.map(({ text, outcome: { finishReason } }, index) => ({
        finish_reason: finishReason,
        index,
        ...contentOf(text),
      })),
      ...this.#head(this.shape === 'chat' ? 'chat.completion' : 'text_completion'),
      usage: usageOf(outcomes),
      timings: first && timingsOf(first),
    };
  }

  #chunk(content: object, index = 0, finishReason: string | null = null): object {
    return {
      choices: [{ finish_reason: finishReason, index, ...content }],
      ...this.#head(this.shape === 'chat' ? 'chat.completion.chunk' : 'text_completion'),
    };
  }

  #head(object: string): object {
    return {
      created: this.#created,
      id: this.#id,
      model: this.#model,
      system_fingerprint: 'corral-embedded',
      object,
    };
  }

  #native({ text, outcome }: Result, index: number): object {
    return {
      index,
      content: text,
      stop: true,
      stop_type: outcome.finishReason === 'stop' ? 'eos' : 'limit',
      model: this.#model,
      tokens_predicted: outcome.completionTokens,
      tokens_evaluated: outcome.promptTokens,
      truncated: false,
      timings: timingsOf(outcome),
    };
  }
}

/** Of all prompts together. */
function usageOf(outcomes: readonly Outcome[]): object {
  const sum = (of: (outcome: Outcome) => number): number => outcomes.reduce((all, one) => all + of(one), 0);
  const completionTokens = sum((one) => one.completionTokens);
  const promptTokens = sum((one) => one.promptTokens);
  return {
    completion_tokens: completionTokens,
    prompt_tokens: promptTokens,
    total_tokens: promptTokens + completionTokens,
    prompt_tokens_details: { cached_tokens: sum((one) => one.cachedTokens) },
  };
}

function timingsOf({ promptTokens, cachedTokens, completionTokens, promptMs, predictedMs }: Outcome): object {
  const evaluated = promptTokens - cachedTokens;
  return {
    cache_n: cachedTokens,
    prompt_n: evaluated,
    prompt_ms: promptMs,
    prompt_per_token_ms: promptMs / Math.max(1, evaluated),
    prompt_per_second: perSecond(evaluated, promptMs),
    predicted_n: completionTokens,
    predicted_ms: predictedMs,
    predicted_per_token_ms: predictedMs / Math.max(1, completionTokens),
    predicted_per_second: perSecond(completionTokens, predictedMs),
  };
}

const perSecond = (count: number, ms: number): number => (ms > 0 ? (count / ms) * 1000 : 0);
