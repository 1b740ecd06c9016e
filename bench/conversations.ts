/**
 * `npm run bench:conversations`: two real models that exclude each other, a long conversation with each, by turns. How long the first
 * token of a turn takes with conversations that are kept, and without; both in one run: compare the columns.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { request } from 'undici';
import { findBuiltLlamaServer } from '../scripts/llama-server-cache.ts';
import { findRealModel } from '../scripts/real-model-cache.ts';
import { parseConfig } from '../src/config/load-config.ts';
import { serve } from '../src/serve.ts';

const TURNS = 4;
const LINES = Number(process.env['LINES'] ?? 120);
const llamaServer = findBuiltLlamaServer();
const path = findRealModel('smollm2');
if (llamaServer === null || path === null) {
  process.stderr.write('Left out: `npm run llama-server` and `npm run real-models` fetch what this needs.\n');
  process.exit(3);
}

interface Message {
  readonly role: 'user' | 'assistant';
  readonly content: string;
}

/** Seconds until the first token of each turn, after the first turn of each model. */
async function play(keep: boolean): Promise<number[]> {
  const folder = await mkdtemp(join(tmpdir(), 'corral-bench-'));
  const model = { path, context: 4096, slots: 1, memory: '600MiB', args: ['--threads', '1'] };
  const config = parseConfig(
    JSON.stringify({
      listen: { port: 0 },
      dataFolder: folder,
      llamaServer,
      models: { a: model, b: model },
      devices: { CPU: { memory: '1GiB' } },
      conversations: { keep },
    }),
  );
  const service = await serve({ config, configPath: null, log: pino({ level: 'silent' }) });
  const seconds: number[] = [];
  const said: Record<string, Message[]> = {};
  try {
    for (let turn = 0; turn < TURNS; turn++)
      for (const name of ['a', 'b']) {
        const messages = (said[name] ??= []);
        const content = turn === 0 ? longText(name) : 'And then? Go on.';
        messages.push({ role: 'user', content });
        const { firstSeconds, answer } = await ask(service.url, name, messages);
        messages.push({ role: 'assistant', content: answer });
        if (turn > 0) seconds.push(firstSeconds);
      }
  } finally {
    await service.stop(0);
    await rm(folder, { recursive: true, force: true });
  }
  return seconds;
}

const longText = (name: string): string =>
  Array.from({ length: LINES }, (_, i) => `${name} ${i}: the quick brown fox jumps over the lazy dog.`).join(
    '\n',
  );

async function ask(
  url: string,
  model: string,
  messages: readonly Message[],
): Promise<{ readonly firstSeconds: number; readonly answer: string }> {
  const startMs = performance.now();
  let firstMs: number | null = null;
  let answer = '';
  const { body } = await request(`${url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ model, messages, stream: true, max_tokens: 8, temperature: 0 }),
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  for await (const chunk of body) {
    for (const [, json] of String(chunk).matchAll(/^data: (\{.*\})$/gm)) {
      const { choices } = JSON.parse(json ?? '') as { choices: { delta: { content?: string } }[] };
      const content = choices[0]?.delta.content ?? '';
      if (content !== '') firstMs ??= performance.now();
      answer += content;
    }
  }
  return { firstSeconds: ((firstMs ?? performance.now()) - startMs) / 1000, answer };
}

const mean = (values: readonly number[]): number => values.reduce((sum, one) => sum + one, 0) / values.length;

const [kept, anew] = [await play(true), await play(false)];
const row = (what: string, a: number, b: number): void =>
  void process.stdout.write(
    `${what.padEnd(36)} ${a.toFixed(2).padStart(8)} ${b.toFixed(2).padStart(10)} ${(b / a).toFixed(1).padStart(8)} ×\n`,
  );
process.stdout.write(`${''.padEnd(36)} ${'kept'.padStart(8)} ${'anew'.padStart(10)}\n`);
row('first token, mean, s', mean(kept), mean(anew));
row('first token, longest, s', Math.max(...kept), Math.max(...anew));
process.exit(0);
