import type { Token } from 'node-llama-cpp';
import { ApiError } from './api-error.ts';
import type { Engine } from './engine.ts';
import type { Sampling } from './sampling.ts';
import type { Slot, Slots } from './slots.ts';

/** How a generation went, with the figures that llama-server reports. */
export interface Outcome {
  readonly finishReason: 'stop' | 'length';
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly completionTokens: number;
  readonly promptMs: number;
  readonly predictedMs: number;
}

/**
 * Generates in a slot: yields text as it comes, returns how it went. Ends at the next token once the signal aborts; the slot is
 * free again however it ends. Throws an `ApiError` when the prompt does not fit.
 */
export async function* generate(
  engine: Engine,
  slots: Slots,
  prompt: Token[],
  sampling: Sampling,
  signal: AbortSignal,
): AsyncGenerator<string, Outcome> {
  const { contextTokens } = engine;
  if (prompt.length >= contextTokens) throw tooLong(prompt.length, contextTokens);
  const slot = await slots.take(prompt, signal);
  try {
    const startedAtMs = performance.now();
    const rest = await reuseContext(slot, prompt);
    const limit = Math.min(sampling.maxTokens, contextTokens - prompt.length);
    const text = new TextStream(sampling.stop);
    let finishReason: Outcome['finishReason'] = 'length';
    let firstAtMs: number | null = null;
    let pending: Token[] = [];
    if (limit > 0)
      for await (const token of slot.sequence.evaluate(rest, { ...sampling.options, yieldEogToken: true })) {
        firstAtMs ??= performance.now();
        signal.throwIfAborted();
        // The end token counts too, as it does for llama-server.
        slot.decodedTokens++;
        if (engine.isEnd(token) && !sampling.ignoreEnd) {
          finishReason = 'stop';
          break;
        }
        pending.push(token);
        const piece = engine.detokenize(pending);
        // A character whose bytes are not complete yet shows as a replacement character.
        const isWhole = !piece.endsWith('\ufffd') || pending.length > 4;
        if (isWhole) {
          pending = [];
          const ready = text.add(piece);
          if (ready !== '') yield ready;
        }
        if (text.isStopped) {
          finishReason = 'stop';
          break;
        }
        if (slot.decodedTokens >= limit) break;
      }
    const left = text.finish(pending.length > 0 ? engine.detokenize(pending) : '');
    if (left !== '') yield left;
    const endedAtMs = performance.now();
    return {
      finishReason,
      promptTokens: prompt.length,
      cachedTokens: slot.cachedTokens,
      completionTokens: slot.decodedTokens,
      promptMs: (firstAtMs ?? endedAtMs) - startedAtMs,
      predictedMs: endedAtMs - (firstAtMs ?? endedAtMs),
    };
  } finally {
    engine.counts.prompt += prompt.length - slot.cachedTokens;
    engine.counts.generated += slot.decodedTokens;
    slots.giveBack(slot);
    // Corral waits for this line, as for llama-server's, before it gives the slot to somebody else.
    if (signal.aborted) engine.log(`slot I release: id ${slot.id} | its client has left`);
  }
}

/** Keeps what the slot's context has in common with the prompt; at least one token is left to evaluate. */
async function reuseContext(slot: Slot, prompt: Token[]): Promise<Token[]> {
  const { sequence } = slot;
  await sequence.adaptStateToTokens(prompt, false);
  if (sequence.nextTokenIndex >= prompt.length)
    await sequence.eraseContextTokenRanges([{ start: prompt.length - 1, end: sequence.nextTokenIndex }]);
  slot.cachedTokens = sequence.nextTokenIndex;
  return prompt.slice(sequence.nextTokenIndex);
}

const tooLong = (promptTokens: number, contextTokens: number): ApiError =>
  new ApiError(
    400,
    'exceed_context_size_error',
    `request (${promptTokens} tokens) exceeds the available context size (${contextTokens} tokens), try increasing it`,
    { n_prompt_tokens: promptTokens, n_ctx: contextTokens },
  );

/** Holds back what may turn out to be the beginning of a stop string. */
class TextStream {
  readonly #stops: readonly string[];
  #held = '';
  isStopped = false;

  constructor(stops: readonly string[]) {
    this.#stops = stops.filter((stop) => stop !== '');
  }

  /** Takes a piece; returns what may be sent. */
  add(piece: string): string {
    const text = this.#held + piece;
    const at = Math.min(...this.#stops.map((stop) => text.indexOf(stop)).filter((index) => index >= 0));
    if (at !== Infinity) {
      this.isStopped = true;
      this.#held = '';
      return text.slice(0, at);
    }
    const held = Math.max(0, ...this.#stops.map((stop) => overlap(text, stop)));
    this.#held = held === 0 ? '' : text.slice(-held);
    return held === 0 ? text : text.slice(0, -held);
  }

  /** The end: what was held back is sent after all. */
  finish(piece: string): string {
    return this.isStopped ? '' : this.#held + piece;
  }
}

/** How much of the end of a text is the beginning of a stop string. */
function overlap(text: string, stop: string): number {
  for (let length = Math.min(stop.length - 1, text.length); length > 0; length--)
    if (text.endsWith(stop.slice(0, length))) return length;
  return 0;
}
