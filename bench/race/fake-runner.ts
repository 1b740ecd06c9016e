/**
 * Plays llama-server for whoever starts it: loads for a while, then streams tokens at a steady pace. Knows what Corral,
 * llama-swap and Ollama ask of it; asked for devices, or started without a model, it answers at once.
 */
import { createServer, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';

const args = process.argv.slice(2);
const valueOf = (...flags: string[]): string | undefined =>
  args[Math.max(...flags.map((flag) => args.lastIndexOf(flag))) + 1];

const loadMs = Number(process.env['FAKE_LOAD_MS'] ?? 2_000);
const tokenMs = Number(process.env['FAKE_TOKEN_MS'] ?? 20);
const model = args.includes('--alias') ? valueOf('--alias') : 'fake';
const hasModel = args.includes('--model') || args.includes('-m');
/** From the start of the process: what it takes to start is part of the load. */
const leftMs = (): number => (hasModel ? loadMs - performance.now() : 0);

function sendJson(response: ServerResponse, value: object, status = 200): void {
  const text = JSON.stringify(value);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}

const timings = (count: number): object => ({
  cache_n: 0,
  prompt_n: 12,
  prompt_ms: 1,
  predicted_n: count,
  predicted_ms: count * tokenMs,
});

const usage = (count: number): object => ({
  prompt_tokens: 12,
  completion_tokens: count,
  total_tokens: count + 12,
});

const common = { id: 'chatcmpl-1', created: 1_700_000_000, model };

/** Sends an event each time that a token is due, and the last ones with the end. */
function streamTokens(response: ServerResponse, count: number, token: string, end: string): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  let left = count;
  const timer = setInterval(() => {
    response.write(token);
    if (--left > 0) return;
    clearInterval(timer);
    response.end(end);
  }, tokenMs);
  response.on('close', () => clearInterval(timer));
}

const eventOf = (value: object): string => `data: ${JSON.stringify(value)}\n\n`;

function streamChat(response: ServerResponse, count: number): void {
  const chunk = (delta: object, finish_reason: string | null, more: object = {}): string =>
    eventOf({
      choices: [{ index: 0, delta, finish_reason }],
      object: 'chat.completion.chunk',
      ...common,
      ...more,
    });
  const end = chunk({}, 'length', { timings: timings(count), usage: usage(count) });
  streamTokens(response, count, chunk({ content: ' word' }, null), `${end}data: [DONE]\n\n`);
}

/** llama-server's own form, in which Ollama asks: without `[DONE]`. */
function streamCompletion(response: ServerResponse, count: number): void {
  const end = eventOf({ content: '', stop: true, stop_type: 'limit', timings: timings(count) });
  streamTokens(response, count, eventOf({ content: ' word', stop: false }), end);
}

function answer(path: string, body: Buffer, response: ServerResponse): void {
  if (path === '/tokenize') return sendJson(response, { tokens: [1, 2, 3] });
  if (path === '/detokenize') return sendJson(response, { content: 'word' });
  if (path === '/apply-template') return sendJson(response, { prompt: 'word' });
  const asked = JSON.parse(body.toString() || '{}') as {
    max_tokens?: number;
    n_predict?: number;
    stream?: boolean;
  };
  const count = Math.max(1, asked.max_tokens ?? asked.n_predict ?? 1);
  if (path === '/completion') return streamCompletion(response, count);
  if (asked.stream) return streamChat(response, count);
  sendJson(response, {
    choices: [
      { index: 0, finish_reason: 'length', message: { role: 'assistant', content: ' word'.repeat(count) } },
    ],
    object: 'chat.completion',
    ...common,
    usage: usage(count),
    timings: timings(count),
  });
}

function serve(): void {
  const looks: Readonly<Record<string, object>> = {
    '/health': { status: 'ok' },
    '/props': {
      total_slots: Number(valueOf('-np', '--parallel')),
      default_generation_settings: { n_ctx: 512 },
    },
    '/slots': [],
    '/v1/models': { object: 'list', data: [{ id: model, object: 'model' }] },
  };
  const server = createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
    const path = request.url?.split('?')[0] ?? '';
    if (leftMs() > 0) return sendJson(response, { error: { code: 503, message: 'Loading model' } }, 503);
    const look = looks[path];
    if (look) return sendJson(response, look);
    if (request.method !== 'POST') return void response.writeHead(404).end();
    void buffer(request).then((body) => answer(path, body, response));
  });
  const listening = (where: string): void => {
    // What Ollama reads of a runner that it only looks at.
    process.stderr.write('system_info: n_threads = 1\n');
    setTimeout(
      () => process.stderr.write(`srv  llama_server: listening on ${where}\n`),
      Math.max(0, leftMs()),
    );
  };
  const [host = '', port] = [valueOf('--host'), Number(valueOf('--port'))];
  if (host.endsWith('.sock')) server.listen(host, () => listening(`unix://${host}`));
  else server.listen(port, '127.0.0.1', () => listening(`http://127.0.0.1:${port}`));
}

if (args.includes('--list-devices')) process.stdout.write('Available devices:\n  (none)\n');
else serve();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => process.exit(0));
