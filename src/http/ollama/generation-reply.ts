import { randomUUID } from 'node:crypto';
import { toContext, type Turn } from './conversation.ts';
import { readPiece, type Counts, type Piece } from './piece.ts';

/** Whose reply it is: `/api/chat` has messages, `/api/generate` has texts. */
export type Shape = 'chat' | 'generate';

export interface ReplyOptions {
  readonly shape: Shape;
  /** As the client named it. */
  readonly model: string;
  /** Ms since the request arrived, and ms in which the model was loaded. */
  readonly times: () => { readonly totalMs: number; readonly loadMs: number };
  readonly now?: () => Date;
  /** The conversation that the reply belongs to, of one that can be continued. */
  readonly turns?: readonly Turn[] | undefined;
}

interface ToolCall {
  id: string;
  name: string;
  argumentsText: string;
}

interface Content {
  readonly text: string;
  readonly thinking?: string;
  readonly toolCalls?: readonly object[];
}

const toNs = (ms: number): number => Math.round(ms * 1e6);

/** Builds Ollama's reply out of the pieces of a runner's, line by line. Holds only what cannot be told piece by piece. */
export class GenerationReply {
  readonly #options: ReplyOptions;
  readonly #toolCalls = new Map<number, ToolCall>();
  readonly #logprobs: unknown[] = [];
  #text = '';
  #thinking = '';
  #finish: 'stop' | 'length' = 'stop';
  #counts: Counts | null = null;

  constructor(options: ReplyOptions) {
    this.#options = options;
  }

  /** The line for a piece; null if there is nothing to tell yet. */
  line(piece: Piece): object | null {
    this.#note(piece);
    const { text, thinking, logprobs } = piece;
    if (this.#options.turns) this.#text += text;
    if (!text && !thinking) return null;
    return {
      ...this.#head({ text, thinking }),
      ...(logprobs.length > 0 && { logprobs }),
      done: false,
    };
  }

  /** The last lines: tool calls, if any, and the sums. */
  closing(): object[] {
    const { calls, unread } = this.#readToolCalls();
    const made =
      calls.length > 0 || unread ? [{ ...this.#head({ text: unread, toolCalls: calls }), done: false }] : [];
    return [...made, { ...this.#head({ text: '' }), ...this.#sums() }];
  }

  /** Keeps a piece for `whole`. */
  keep(piece: Piece): void {
    this.#note(piece);
    this.#text += piece.text;
    this.#thinking += piece.thinking;
    this.#logprobs.push(...piece.logprobs);
  }

  /** All that was kept, for a client that wants no stream. */
  whole(): object {
    const { calls, unread } = this.#readToolCalls();
    const [text, thinking, logprobs] = [this.#text, this.#thinking, this.#logprobs];
    return {
      ...this.#head({ text: text + unread, thinking, toolCalls: calls }),
      ...(logprobs.length > 0 && { logprobs }),
      ...this.#sums(),
    };
  }

  /** All of it, where a runner gave no stream. */
  ofJson(json: unknown): object {
    this.keep(readPiece(json));
    return this.whole();
  }

  /** The reply to a request that asked nothing: the model has been loaded, or told to go. */
  empty(doneReason: 'load' | 'unload'): object {
    return { ...this.#head({ text: '' }), done: true, done_reason: doneReason };
  }

  #note({ finish, counts, toolCalls }: Piece): void {
    this.#finish = finish ?? this.#finish;
    this.#counts = counts ?? this.#counts;
    for (const { index, id, name, argumentsText } of toolCalls) {
      const call = this.#toolCalls.get(index) ?? { id: '', name: '', argumentsText: '' };
      this.#toolCalls.set(index, call);
      call.id ||= id;
      call.name ||= name;
      call.argumentsText += argumentsText;
    }
  }

  #head({ text, thinking, toolCalls }: Content): object {
    const { shape, model, now = () => new Date() } = this.#options;
    const head = { model, created_at: now().toISOString() };
    const thought = thinking ? { thinking } : {};
    if (shape === 'generate') return { ...head, response: text, ...thought };
    const calls = toolCalls && toolCalls.length > 0 ? { tool_calls: toolCalls } : {};
    return { ...head, message: { role: 'assistant', content: text, ...thought, ...calls } };
  }

  #sums(): object {
    const { turns, times } = this.#options;
    const { totalMs, loadMs } = times();
    const counts = this.#counts ?? { promptTokens: 0, promptMs: 0, tokens: 0, ms: 0 };
    return {
      done: true,
      done_reason: this.#finish,
      total_duration: toNs(totalMs),
      load_duration: toNs(loadMs),
      prompt_eval_count: counts.promptTokens,
      prompt_eval_duration: toNs(counts.promptMs),
      eval_count: counts.tokens,
      eval_duration: toNs(counts.ms),
      ...(turns && { context: toContext([...turns, { role: 'assistant', content: this.#text }]) }),
    };
  }

  /** Ollama's arguments are objects. Where the model wrote none, as when it was cut off, its text is handed on as text. */
  #readToolCalls(): { readonly calls: readonly object[]; readonly unread: string } {
    const calls: object[] = [];
    let unread = '';
    for (const { id, name, argumentsText } of this.#toolCalls.values()) {
      const values = objectIn(argumentsText || '{}');
      if (values)
        calls.push({ id: id || randomUUID(), function: { index: calls.length, name, arguments: values } });
      else unread += argumentsText;
    }
    return { calls, unread };
  }
}

const objectIn = (text: string): object | null => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
};
