import { keyHeaders } from '../../live/key.ts';
import { serverSentEvents, type ServerSentEvent } from './server-sent-events.ts';

export interface Message {
  readonly role: 'user' | 'assistant';
  readonly content: string;
}

/** Why a request still waits, and how far its load has come: from 0 to 1, null when unknown. */
export interface Progress {
  readonly state: 'queued' | 'loading';
  readonly position: number;
  readonly progress: number | null;
  readonly reason: string;
}

/** Which runner serves a request, and what it waited for; of that, what a load took. */
export interface Served {
  readonly runnerId: string;
  readonly waitMs: number;
  readonly loadMs: number;
}

/** What becomes known of a reply while it comes. */
export type ChatEvent =
  | { readonly type: 'progress'; readonly progress: Progress }
  | { readonly type: 'served'; readonly served: Served }
  | { readonly type: 'text'; readonly text: string; readonly isThought: boolean }
  | { readonly type: 'counted'; readonly tokens: number; readonly tokensPerSecond: number | null };

export interface ChatRequest {
  readonly model: string;
  readonly messages: readonly Message[];
  readonly temperature: number;
  readonly maxTokens: number | null;
}

/** Asks a model through `/v1/chat/completions`, like any client. Throws with the server's own words when it refuses, or cuts the reply. */
export async function* chat(request: ChatRequest, signal: AbortSignal): AsyncGenerator<ChatEvent> {
  const { model, messages, temperature, maxTokens } = request;
  const response = await fetch(new URL('v1/chat/completions', document.baseURI), {
    method: 'POST',
    signal,
    headers: { 'content-type': 'application/json', 'x-corral-progress': '1', ...keyHeaders() },
    body: JSON.stringify({
      model,
      messages,
      temperature,
      ...(maxTokens !== null && { max_tokens: maxTokens }),
      stream: true,
      stream_options: { include_usage: true },
    }),
  });
  if (!response.ok || !response.body)
    throw new Error(errorText(await response.text()) ?? response.statusText);
  const served = servedOf((name) => response.headers.get(name));
  if (served) yield { type: 'served', served };
  for await (const event of serverSentEvents(response.body)) yield* chatEventsOf(event);
}

function* chatEventsOf({ event, data, comments }: ServerSentEvent): Generator<ChatEvent> {
  // Of a stream that was begun while the request waited: what headers would have said comes in comments.
  const told = new Map(comments.map((line) => line.split(': ', 2) as [string, string]));
  const served = servedOf((name) => told.get(name) ?? null);
  if (served) yield { type: 'served', served };
  if (data === '' || data === '[DONE]') return;
  if (event === 'corral.progress') return yield { type: 'progress', progress: JSON.parse(data) as Progress };
  const problem = errorText(data);
  if (problem !== null) throw new Error(problem);
  yield* deltasOf(JSON.parse(data) as Chunk);
}

interface Chunk {
  readonly choices?: readonly {
    readonly delta?: { readonly content?: string | null; readonly reasoning_content?: string | null };
  }[];
  readonly usage?: { readonly completion_tokens: number } | null;
  readonly timings?: { readonly predicted_per_second?: number };
}

function* deltasOf({ choices, usage, timings }: Chunk): Generator<ChatEvent> {
  const { content, reasoning_content: thought } = choices?.[0]?.delta ?? {};
  if (thought) yield { type: 'text', text: thought, isThought: true };
  if (content) yield { type: 'text', text: content, isThought: false };
  if (usage)
    yield {
      type: 'counted',
      tokens: usage.completion_tokens,
      tokensPerSecond: timings?.predicted_per_second ?? null,
    };
}

function servedOf(read: (name: string) => string | null): Served | null {
  const runnerId = read('x-corral-runner');
  if (runnerId === null) return null;
  return { runnerId, waitMs: Number(read('x-corral-wait-ms')), loadMs: Number(read('x-corral-load-ms')) };
}

/** What an error reply says; null when the text is none. */
function errorText(text: string): string | null {
  try {
    const { error } = JSON.parse(text) as { error?: { message?: string } };
    return error ? (error.message ?? JSON.stringify(error)) : null;
  } catch {
    return null;
  }
}
