/** What a generation has cost, in tokens and in ms. */
export interface Counts {
  readonly promptTokens: number;
  readonly promptMs: number;
  readonly tokens: number;
  readonly ms: number;
}

/** A part of a tool call: name first, then its arguments as text, in as many parts as it takes. */
export interface ToolCallPart {
  readonly index: number;
  readonly id: string;
  readonly name: string;
  readonly argumentsText: string;
}

/** One chunk of a streamed reply, or all of one that is whole: the three reply shapes of llama-server in one. */
export interface Piece {
  readonly text: string;
  readonly thinking: string;
  readonly toolCalls: readonly ToolCallPart[];
  readonly logprobs: readonly unknown[];
  readonly finish: 'stop' | 'length' | null;
  readonly counts: Counts | null;
  /** What went wrong in the midst of a stream. */
  readonly error: string | null;
}

interface ChatPart {
  readonly content?: string | null;
  readonly reasoning_content?: string | null;
  readonly tool_calls?: readonly {
    readonly index?: number;
    readonly id?: string;
    readonly function?: { readonly name?: string; readonly arguments?: string };
  }[];
}

/** What is read of llama-server's JSON: `/v1/chat/completions`, `/v1/completions`, and `/infill`, which has no choices. */
interface RunnerJson {
  readonly choices?: readonly {
    readonly delta?: ChatPart;
    readonly message?: ChatPart;
    readonly text?: string;
    readonly finish_reason?: string | null;
    readonly logprobs?: { readonly content?: readonly unknown[] } | null;
  }[];
  readonly usage?: { readonly prompt_tokens?: number; readonly completion_tokens?: number } | null;
  readonly timings?: { readonly prompt_ms?: number; readonly predicted_ms?: number };
  readonly content?: string;
  readonly stop?: boolean;
  readonly stop_type?: string;
  readonly tokens_evaluated?: number;
  readonly tokens_predicted?: number;
  readonly error?: { readonly message?: string };
}

/** Reads a chunk or a whole reply; never throws, whatever it is. */
export const readPiece = (json: unknown): Piece => {
  const reply = (typeof json === 'object' && json !== null ? json : {}) as RunnerJson;
  const choice = reply.choices?.[0];
  const part = choice?.delta ?? choice?.message;
  return {
    text: part?.content ?? choice?.text ?? reply.content ?? '',
    thinking: part?.reasoning_content ?? '',
    toolCalls: (part?.tool_calls ?? []).map((call, i) => ({
      index: call.index ?? i,
      id: call.id ?? '',
      name: call.function?.name ?? '',
      argumentsText: call.function?.arguments ?? '',
    })),
    logprobs: choice?.logprobs?.content ?? [],
    finish: finishOf(reply),
    counts: countsOf(reply),
    error: reply.error ? (reply.error.message ?? 'the runner reported an error') : null,
  };
};

const finishOf = ({ choices, stop, stop_type: stopType }: RunnerJson): Piece['finish'] => {
  const reason = choices?.[0]?.finish_reason;
  if (reason) return reason === 'length' ? 'length' : 'stop';
  if (stop !== true) return null;
  return stopType === 'limit' ? 'length' : 'stop';
};

const countsOf = (reply: RunnerJson): Counts | null => {
  const { usage, timings, tokens_evaluated: evaluated, tokens_predicted: predicted } = reply;
  // llama-server's own chunks count as they go; only the last one has the sums.
  if (!usage && (reply.stop !== true || evaluated === undefined)) return null;
  return {
    promptTokens: usage?.prompt_tokens ?? evaluated ?? 0,
    promptMs: timings?.prompt_ms ?? 0,
    tokens: usage?.completion_tokens ?? predicted ?? 0,
    ms: timings?.predicted_ms ?? 0,
  };
};
