/**
 * Plays llama-server, as cheaply as Node can: fixed replies at once, and streams at the pace that the request names. Corral
 * spawns it as it does the real one; where it listens is noted in `$FAKE_RUNNER_NOTE`, for those that go there directly.
 */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { StreamPace } from './requests.ts';

const args = process.argv.slice(2);
const valueOf = (flag: string): string => args[args.indexOf(flag) + 1] ?? '';

const LINE = 'eval time = 12.34 ms / 30 tokens (0.41 ms per token, 2431.12 tokens per second)';
const json = { 'content-type': 'application/json; charset=utf-8' };
const whole = JSON.stringify({
  choices: [{ finish_reason: 'stop', index: 0, message: { role: 'assistant', content: 'x'.repeat(120) } }],
  created: 1_700_000_000,
  id: 'chatcmpl-0123456789abcdefghijklmnopqrstuv',
  model: 'bench',
  object: 'chat.completion',
  usage: { completion_tokens: 30, prompt_tokens: 12, total_tokens: 42 },
});
const event = `data: ${JSON.stringify({
  choices: [{ finish_reason: null, index: 0, delta: { content: ' word' } }],
  created: 1_700_000_000,
  id: 'chatcmpl-0123456789abcdefghijklmnopqrstuv',
  model: 'bench',
  object: 'chat.completion.chunk',
})}\n\n`;

function sendWhole(response: ServerResponse, text: string): void {
  response.writeHead(200, { ...json, 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

function stream(response: ServerResponse, { chunks, everyMs }: StreamPace): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  let left = chunks;
  const timer = setInterval(() => {
    response.write(event);
    if (--left > 0) return;
    clearInterval(timer);
    response.end('data: [DONE]\n\n');
  }, everyMs);
  response.on('close', () => clearInterval(timer));
}

const looks: Readonly<Record<string, string>> = {
  '/health': '{"status":"ok"}',
  '/props': `{"total_slots":${Number(valueOf('-np'))},"default_generation_settings":{"n_ctx":512}}`,
  '/slots': '[]',
};

if (args.includes('--list-devices')) process.stdout.write('Available devices:\n  (none)\n');
else {
  const answer: RequestListener = (request, response) => {
    const look = looks[request.url ?? ''];
    if (look !== undefined) return sendWhole(response, look);
    if (request.method !== 'POST') return void response.writeHead(404).end();
    void buffer(request).then((body) => {
      const { bench } = JSON.parse(body.toString()) as { bench?: StreamPace };
      if (bench) stream(response, bench);
      else sendWhole(response, whole);
    });
  };
  const options = { keepAliveTimeout: 600_000 };
  const host = valueOf('--host');
  // As the real one: at a socket when its host is one. Whoever goes there directly gets a port of its own.
  const atPort = createServer(options, answer).listen(
    host.endsWith('.sock') ? 0 : Number(valueOf('--port')),
    '127.0.0.1',
  );
  const server = host.endsWith('.sock') ? createServer(options, answer).listen(host) : atPort;
  void Promise.all([atPort, server].map(async (one) => one.listening || (await once(one, 'listening')))).then(
    () => {
      const note = process.env['FAKE_RUNNER_NOTE'];
      const { port } = atPort.address() as AddressInfo;
      if (note && valueOf('--alias') === 'bench') writeFileSync(note, String(port));
      process.stderr.write('srv  llama_server: listening\n');
      const linesPerSecond = Number(process.env['FAKE_RUNNER_LOG_LINES'] ?? 0);
      if (linesPerSecond > 0)
        setInterval(() => process.stderr.write(`slot print_timing: ${LINE}\n`), 1_000 / linesPerSecond);
    },
  );
  process.on('SIGTERM', () => process.exit(0));
}
