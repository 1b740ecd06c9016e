/** Enough for what a reply begins with: Anthropic's streams tell of the prompt there. */
const HEAD_BYTES = 4 * 1024;
/** Enough for what it ends with, where all others tell. */
const TAIL_BYTES = 8 * 1024;

/** Tokens of one request, as its runner counted them; absent where it did not say. */
export interface Usage {
  readonly inputTokens?: number;
  readonly outputTokens?: number;
}

const INPUT = /"(?:prompt_tokens|input_tokens|tokens_evaluated)":\s*(\d+)/g;
const OUTPUT = /"(?:completion_tokens|output_tokens|tokens_predicted)":\s*(\d+)/g;
/** In llama-server's timings, which streams have although nobody asked for their usage. */
const EVALUATED = /"prompt_n":\s*(\d+)/g;
const CACHED = /"cache_n":\s*(\d+)/g;
const PREDICTED = /"predicted_n":\s*(\d+)/g;

const lastIn = (text: string, pattern: RegExp): number | undefined => {
  const found = [...text.matchAll(pattern)].at(-1)?.[1];
  return found === undefined ? undefined : Number(found);
};

/**
 * Finds the tokens that a reply was charged for, in what it begins and ends with: the rest is not kept. Text that a model wrote has its
 * quotes escaped, so that it passes for no member.
 */
export class ReplyUsage {
  #head = '';
  #tail: Buffer[] = [];
  #tailBytes = 0;

  see(chunk: Buffer): void {
    if (this.#head.length < HEAD_BYTES) this.#head += chunk.toString('latin1', 0, HEAD_BYTES);
    this.#tail.push(chunk);
    this.#tailBytes += chunk.length;
    while (this.#tail[0] && this.#tailBytes - this.#tail[0].length >= TAIL_BYTES)
      this.#tailBytes -= this.#tail.shift()?.length ?? 0;
  }

  /** Another runner begins anew. */
  forget(): void {
    this.#head = '';
    this.#tail = [];
    this.#tailBytes = 0;
  }

  read(): Usage {
    const tail = Buffer.concat(this.#tail).subarray(-TAIL_BYTES).toString('latin1');
    const evaluated = lastIn(tail, EVALUATED);
    const inputTokens =
      lastIn(tail, INPUT) ??
      (evaluated === undefined ? lastIn(this.#head, INPUT) : evaluated + (lastIn(tail, CACHED) ?? 0));
    const outputTokens = lastIn(tail, OUTPUT) ?? lastIn(tail, PREDICTED);
    return {
      ...(inputTokens !== undefined && { inputTokens }),
      ...(outputTokens !== undefined && { outputTokens }),
    };
  }
}
