/** Enough for what a reply begins with: Anthropic's streams tell of the prompt there. */
const HEAD_BYTES = 4 * 1024;
/** Enough for what it ends with, where all others tell. */
const TAIL_BYTES = 8 * 1024;

/** Tokens of one request and what they took, as its runner counted them; absent where it did not say. */
export interface Usage {
  /** Of the prompt, those among them that were cached. */
  readonly inputTokens?: number;
  readonly cachedTokens?: number;
  readonly outputTokens?: number;
  /** What reading the prompt took, without what was cached, and what generating took. */
  readonly promptMs?: number;
  readonly generationMs?: number;
}

/** By whom each member is told: OpenAI, Anthropic, and llama-server's timings, which streams have although nobody asked for their usage. */
const MEMBERS = {
  input: ['prompt_tokens', 'input_tokens', 'tokens_evaluated'],
  output: ['completion_tokens', 'output_tokens', 'tokens_predicted'],
  evaluated: ['prompt_n'],
  predicted: ['predicted_n'],
  cached: ['cache_n', 'cached_tokens', 'cache_read_input_tokens'],
  promptMs: ['prompt_ms'],
  generationMs: ['predicted_ms'],
} as const;

type Kind = keyof typeof MEMBERS;
type Found = { [K in Kind]?: number };

const KIND_OF: ReadonlyMap<string, Kind> = new Map(
  (Object.keys(MEMBERS) as Kind[]).flatMap((kind) => MEMBERS[kind].map((name) => [name, kind] as const)),
);
const MEMBER = new RegExp(`"(${[...KIND_OF.keys()].join('|')})":\\s*(\\d+(?:\\.\\d+)?)`, 'g');

/** The last of each. */
function foundIn(text: string): Found {
  const found: Found = {};
  for (const [, name = '', value] of text.matchAll(MEMBER)) {
    const kind = KIND_OF.get(name);
    if (kind) found[kind] = Number(value);
  }
  return found;
}

/**
 * Finds the tokens that a reply was charged for, in what it begins and ends with: the rest is not kept. Text that a model wrote has its
 * quotes escaped, so that it passes for no member.
 */
export class ReplyUsage {
  #head: Buffer[] = [];
  #headBytes = 0;
  #tail: Buffer[] = [];
  #tailBytes = 0;

  see(chunk: Buffer): void {
    if (this.#headBytes < HEAD_BYTES) {
      this.#head.push(chunk);
      this.#headBytes += chunk.length;
    }
    this.#tail.push(chunk);
    this.#tailBytes += chunk.length;
    while (this.#tail[0] && this.#tailBytes - this.#tail[0].length >= TAIL_BYTES)
      this.#tailBytes -= this.#tail.shift()?.length ?? 0;
  }

  /** Another runner begins anew. */
  forget(): void {
    this.#head = [];
    this.#tail = [];
    this.#headBytes = this.#tailBytes = 0;
  }

  read(): Usage {
    if (this.#tailBytes === 0) return {};
    const tail = foundIn(textOf(this.#tail, -TAIL_BYTES));
    const evaluated = tail.evaluated === undefined ? undefined : tail.evaluated + (tail.cached ?? 0);
    const head = tail.input === undefined && evaluated === undefined ? foundIn(this.#headText()) : {};
    const usage = {
      inputTokens: tail.input ?? evaluated ?? head.input,
      cachedTokens: tail.cached ?? head.cached,
      outputTokens: tail.output ?? tail.predicted,
      promptMs: tail.promptMs,
      generationMs: tail.generationMs,
    };
    return Object.fromEntries(Object.entries(usage).filter(([, value]) => value !== undefined)) as Usage;
  }

  #headText(): string {
    return textOf(this.#head, 0).slice(0, HEAD_BYTES);
  }
}

const textOf = (chunks: readonly Buffer[], from: number): string => {
  const [only] = chunks;
  const whole = chunks.length === 1 && only ? only : Buffer.concat(chunks);
  return whole.subarray(from).toString('latin1');
};
