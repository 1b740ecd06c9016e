import { effect, signal } from '@preact/signals';
import { live, models } from '../../live/live.ts';
import { inNextFrame } from '../../live/next-frame.ts';
import { chat, type ChatEvent, type Message, type Progress, type Served } from './chat-stream.ts';

/** A question and what came of it. Times are in ms of the page's own clock. */
export interface Turn {
  readonly id: number;
  readonly model: string;
  readonly question: string;
  readonly thought: string;
  readonly answer: string;
  readonly state: 'waiting' | 'streaming' | 'done' | 'stopped' | 'failed';
  readonly problem: string | null;
  readonly progress: Progress | null;
  readonly served: Served | null;
  readonly sentAtMs: number;
  readonly firstTokenAtMs: number | null;
  readonly endedAtMs: number | null;
  readonly tokens: number;
  readonly tokensPerSecond: number | null;
  /** The decisions up to this seq were made before it. */
  readonly decisionsAfter: number;
}

const turns = signal<readonly Turn[]>([]);
/** The conversation as it is drawn: once a frame, however fast a model is. */
export const drawnTurns = signal<readonly Turn[]>([]);
effect(() => {
  const now = turns.value;
  inNextFrame('turns', () => (drawnTurns.value = now));
});
export const chosenModel = signal<string | null>(null);
export const temperature = signal(0.7);
export const maxTokens = signal<number | null>(512);
let running: AbortController | null = null;

/** The models that can be chatted with. */
export const chatModels = (): readonly string[] =>
  models.value.filter(({ options }) => options && !options.embedding).map(({ name }) => name);

export const isRunning = (turn: Turn | undefined): boolean =>
  turn?.state === 'waiting' || turn?.state === 'streaming';

/** Asks the chosen model, with all that was said before. */
export async function send(model: string, question: string): Promise<void> {
  const controller = new AbortController();
  running = controller;
  const id = turns.value.length;
  const messages = [...turns.value.flatMap(messagesOf), { role: 'user', content: question } as const];
  turns.value = [...turns.value, newTurn(id, model, question)];
  try {
    const request = { model, messages, temperature: temperature.value, maxTokens: maxTokens.value };
    for await (const event of chat(request, controller.signal)) update(id, (turn) => after(turn, event));
    update(id, () => ({ state: 'done' }));
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    update(id, () => (controller.signal.aborted ? { state: 'stopped' } : { state: 'failed', problem }));
  }
  update(id, () => ({ endedAtMs: performance.now(), progress: null }));
}

/** Ends the reply that comes now: Corral sees the client leave, and frees its slot. */
export const stop = (): void => running?.abort();

/** Begins anew. */
export function clear(): void {
  stop();
  turns.value = [];
}

const newTurn = (id: number, model: string, question: string): Turn => ({
  id,
  model,
  question,
  thought: '',
  answer: '',
  state: 'waiting',
  problem: null,
  progress: null,
  served: null,
  sentAtMs: performance.now(),
  firstTokenAtMs: null,
  endedAtMs: null,
  tokens: 0,
  tokensPerSecond: null,
  decisionsAfter: live.decisions.value.at(-1)?.seq ?? 0,
});

const messagesOf = ({ question, answer }: Turn): Message[] => [
  { role: 'user', content: question },
  ...(answer === '' ? [] : [{ role: 'assistant', content: answer } as const]),
];

function after(turn: Turn, event: ChatEvent): Partial<Turn> {
  switch (event.type) {
    case 'progress':
      return { progress: event.progress };
    case 'served':
      return { served: event.served, progress: null };
    case 'counted':
      return { tokens: event.tokens, tokensPerSecond: event.tokensPerSecond };
    case 'text':
      return {
        state: 'streaming',
        firstTokenAtMs: turn.firstTokenAtMs ?? performance.now(),
        // Each piece is a token, until the server has counted them.
        tokens: turn.tokens + 1,
        ...(event.isThought ? { thought: turn.thought + event.text } : { answer: turn.answer + event.text }),
      };
  }
}

function update(id: number, change: (turn: Turn) => Partial<Turn>): void {
  turns.value = turns.value.map((turn) => (turn.id === id ? { ...turn, ...change(turn) } : turn));
}
