import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { seededRandom } from '../../src/models/random.ts';
import type { Workload } from './workload.ts';

/** After a failure a client asks again only after this, whatever it would think. */
const AFTER_FAILURE_MS = 500;
/** A token of an answer, in a piece of its stream: neither a role nor a comment that only keeps the connection. */
const TOKEN = /"(?:content|reasoning_content)":\s*"[^"]/;
const END = 'data: [DONE]';
const TAIL_LENGTH = 400;
/** What is still not answered so long after the end never will be. */
const ENDING_MS = 60_000;

/** What became of one request. */
export interface Answer {
  readonly client: number;
  readonly model: string;
  /** From the request to its first token; NaN when none came. */
  readonly firstTokenMs: number;
  /** Null when it was answered to the end. */
  readonly failure: string | null;
}

type Client = Workload['clients'][number];

/** Plays a workload against an address, for so long; requests that run at its end are waited for. */
export async function play(workload: Workload, url: string, seconds: number): Promise<Answer[]> {
  const agent = new Agent({ connections: null, pipelining: 1, headersTimeout: 0, bodyTimeout: 0 });
  const endMs = performance.now() + seconds * 1_000;
  const signal = AbortSignal.timeout(seconds * 1_000 + ENDING_MS);
  const answers: Answer[] = [];
  const act = async (client: Client, number: number): Promise<void> => {
    const random = seededRandom(workload.seed * 1_000 + number);
    await sleep(client.startMs);
    for (let turn = 0; performance.now() < endMs; turn++) {
      const model = client.models[turn % client.models.length] ?? '';
      const answer = await ask(url, { model, tokens: client.tokens, turn, agent, signal });
      answers.push({ client: number, model, ...answer });
      if (answer.failure !== null) await sleep(AFTER_FAILURE_MS);
      await sleep(client.thinkMs * (client.isSteady ? 1 : -Math.log(1 - random())));
    }
  };
  await Promise.all(workload.clients.map(act));
  await agent.destroy();
  return answers;
}

interface Question {
  readonly model: string;
  readonly tokens: number;
  readonly turn: number;
  readonly agent: Agent;
  readonly signal: AbortSignal;
}

async function ask(
  url: string,
  { model, tokens, turn, agent, signal }: Question,
): Promise<Pick<Answer, 'firstTokenMs' | 'failure'>> {
  const startMs = performance.now();
  let firstTokenMs = NaN;
  let tail = '';
  try {
    const { statusCode, body } = await request(`${url}/v1/chat/completions`, {
      method: 'POST',
      dispatcher: agent,
      signal,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        model,
        stream: true,
        temperature: 0,
        max_tokens: tokens,
        messages: [{ role: 'user', content: `Write about the number ${turn}.` }],
      }),
    });
    body.setEncoding('utf8');
    for await (const piece of body) {
      tail += String(piece);
      if (Number.isNaN(firstTokenMs) && TOKEN.test(tail)) firstTokenMs = performance.now() - startMs;
      tail = tail.slice(-TAIL_LENGTH);
    }
    const isWhole = statusCode === 200 && tail.includes(END) && !Number.isNaN(firstTokenMs);
    return { firstTokenMs, failure: isWhole ? null : `${statusCode}: ${tail.trim().slice(0, 200)}` };
  } catch (error) {
    return { firstTokenMs, failure: String(error) };
  }
}
