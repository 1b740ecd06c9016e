import { randomBytes } from 'node:crypto';
import type { Outcome } from './generate.ts';

/** Which of llama-server's reply shapes is wanted. */
export type Shape = 'chat' | 'completion' | 'native';

/** Builds the parts of one reply: the same id and time in all of them. */
export class Reply {
  readonly #shape: Shape;
  readonly #model: string;
  readonly #id = `chatcmpl-${randomBytes(24).toString('base64url')}`;
  readonly #created = Math.floor(Date.now() / 1000);

  constructor(shape: Shape, model: string) {
    this.#shape = shape;
    this.#model = model;
  }

  /** Before the first text: chat streams begin with the role. */
  opening(): object | null {
    return this.#shape === 'chat' ? this.#chunk({ delta: { role: 'assistant', content: null } }, null) : null;
  }

  piece(text: string): object {
    if (this.#shape === 'native') return { index: 0, content: text, tokens: [], stop: false, id_slot: -1 };
    return this.#chunk(
      this.#shape === 'chat' ? { delta: { content: text } } : { text, logprobs: null },
      null,
    );
  }

  /** The last chunks of a stream. */
  closing(outcome: Outcome, includeUsage: boolean): object[] {
    if (this.#shape === 'native') return [{ ...this.#native('', outcome), stop: true }];
    const last = this.#chunk(
      this.#shape === 'chat' ? { delta: {} } : { text: '', logprobs: null },
      outcome.finishReason,
    );
    const figures = { usage: usageOf(outcome), timings: timingsOf(outcome) };
    if (this.#shape === 'completion') return [{ ...last, ...figures }];
    if (!includeUsage) return [{ ...last, timings: figures.timings }];
    return [last, { ...this.#head('chat.completion.chunk'), choices: [], ...figures }];
  }

  whole(text: string, outcome: Outcome): object {
    if (this.#shape === 'native') return this.#native(text, outcome);
    const content =
      this.#shape === 'chat' ? { message: { role: 'assistant', content: text } } : { text, logprobs: null };
    return {
      choices: [{ finish_reason: outcome.finishReason, index: 0, ...content }],
      ...this.#head(this.#shape === 'chat' ? 'chat.completion' : 'text_completion'),
      usage: usageOf(outcome),
      timings: timingsOf(outcome),
    };
  }

  #chunk(content: object, finishReason: string | null): object {
    return {
      choices: [{ finish_reason: finishReason, index: 0, ...content }],
      ...this.#head(this.#shape === 'chat' ? 'chat.completion.chunk' : 'text_completion'),
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

  #native(text: string, outcome: Outcome): object {
    return {
      index: 0,
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

const usageOf = ({ completionTokens, promptTokens, cachedTokens }: Outcome): object => ({
  completion_tokens: completionTokens,
  prompt_tokens: promptTokens,
  total_tokens: promptTokens + completionTokens,
  prompt_tokens_details: { cached_tokens: cachedTokens },
});

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
