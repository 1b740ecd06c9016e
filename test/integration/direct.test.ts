import { expect } from 'chai';
import { Client, request, type Dispatcher } from 'undici';
import { runnerConnector } from '../../actors/process/connect-runner.ts';
import { runtimes, startCorral, type Corral } from '../support/corral.ts';
import { writeModels, type TestModels } from '../support/models.ts';
import { ledgerOf } from '../../src/ledger-of.ts';

type ModelName = 'tiny' | 'embed';

interface Case {
  readonly path: string;
  readonly method?: 'GET' | 'HEAD' | 'POST';
  readonly model?: ModelName;
  readonly body?: object | string;
  readonly contentType?: string;
  /** What the real llama-server answers; the embedded runner may lack it. */
  readonly status: number;
  /** The path at the runner, where it is another one. */
  readonly runnerPath?: string;
}

const messages = [{ role: 'user', content: 'hi' }];
const base = { model: 'tiny', temperature: 0, seed: 1 };
const tool = {
  type: 'function',
  function: {
    name: 'weather',
    description: 'tells the weather',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
};
const schema = { type: 'object', properties: { a: { enum: [1, 2] } }, required: ['a'] };
const chat = (more: object = {}): object => ({ ...base, messages, max_tokens: 12, ...more });
const withBoth = (path: string, body: object, status = 200): Case[] => [
  { path, body, status },
  { path, body: { ...body, stream: true }, status },
];
const recording = [
  '--x',
  'Content-Disposition: form-data; name="model"',
  '',
  'tiny',
  '--x',
  'Content-Disposition: form-data; name="file"; filename="a.wav"',
  '',
  'no sound at all',
  '--x--',
  '',
].join('\r\n');

/** Each endpoint, streamed where it streams, going well and going wrong. */
const cases: readonly Case[] = [
  ...withBoth('/v1/chat/completions', chat()),
  ...withBoth('/v1/chat/completions', chat({ logprobs: true, top_logprobs: 3 })),
  ...withBoth('/v1/chat/completions', chat({ tools: [tool] })),
  ...withBoth('/v1/chat/completions', chat({ tools: [tool], tool_choice: 'required', max_tokens: 40 })),
  ...withBoth(
    '/v1/chat/completions',
    chat({ response_format: { type: 'json_schema', json_schema: { schema } } }),
  ),
  ...withBoth('/v1/chat/completions', chat({ max_tokens: 2, stop: ['speaking'], timings_per_token: true })),
  ...withBoth('/v1/chat/completions', chat({ messages: undefined }), 400),
  ...withBoth('/v1/chat/completions', chat({ messages: 'hello' }), 400),
  ...withBoth(
    '/v1/chat/completions',
    chat({ messages: [{ role: 'user', content: 'word '.repeat(900) }] }),
    400,
  ),
  ...withBoth('/v1/chat/completions', chat({ response_format: { type: 'xml' } }), 400),
  {
    path: '/v1/chat/completions',
    body: chat({ stream: true, stream_options: { include_usage: true } }),
    status: 200,
  },
  { path: '/chat/completions', body: chat(), status: 200 },
  { path: '/v1/chat/completions/input_tokens', body: chat(), status: 200 },
  ...withBoth('/v1/completions', { ...base, prompt: 'this is', max_tokens: 4 }),
  ...withBoth('/v1/completions', { ...base, prompt: 'this is', max_tokens: 4, logprobs: 2 }),
  ...withBoth('/v1/completions', { ...base, max_tokens: 4 }, 400),
  { path: '/v1/embeddings', model: 'embed', body: { model: 'embed', input: ['a', 'b'] }, status: 200 },
  {
    path: '/v1/embeddings',
    model: 'embed',
    body: { model: 'embed', input: 'a', encoding_format: 'base64' },
    status: 200,
  },
  { path: '/v1/embeddings', model: 'embed', body: { model: 'embed' }, status: 400 },
  { path: '/v1/embeddings', body: { model: 'tiny', input: 'a' }, status: 501 },
  { path: '/embedding', model: 'embed', body: { model: 'embed', content: 'a' }, status: 200 },
  { path: '/v1/rerank', body: { model: 'tiny', query: 'a', documents: ['b', 'c'] }, status: 501 },
  { path: '/rerank', body: { model: 'tiny', query: 'a', documents: ['b', 'c'] }, status: 501 },
  {
    path: '/v1/audio/transcriptions',
    body: recording,
    contentType: 'multipart/form-data; boundary=x',
    status: 501,
  },
  ...withBoth('/v1/responses', { ...base, input: 'hi', max_output_tokens: 12 }),
  ...withBoth('/v1/responses', { ...base }, 400),
  { path: '/v1/responses/input_tokens', body: { ...base, input: 'hi' }, status: 200 },
  ...withBoth('/v1/messages', { ...base, messages, max_tokens: 12 }),
  ...withBoth('/v1/messages', {
    ...base,
    messages,
    max_tokens: 12,
    system: 'be brief',
    tools: [{ name: 'x', input_schema: schema }],
  }),
  // llama-server's own answer to messages without messages.
  ...withBoth('/v1/messages', { ...base, max_tokens: 12 }, 500),
  { path: '/v1/messages/count_tokens', body: { model: 'tiny', messages }, status: 200 },
  ...withBoth('/completion', { ...base, prompt: 'this is', n_predict: 4 }),
  ...withBoth('/completion', { ...base, prompt: 'this is', n_predict: 2, n_probs: 2 }),
  ...withBoth('/completion', { ...base, prompt: 'this is', grammar: 'root ::= ((' }, 400),
  ...withBoth('/infill', { ...base, input_prefix: 'this', input_suffix: 'tiny', n_predict: 2 }, 501),
  { path: '/tokenize', body: { model: 'tiny', content: 'this is', with_pieces: true }, status: 200 },
  { path: '/tokenize?model=tiny', body: { content: 'this is' }, status: 200 },
  { path: '/detokenize', body: { model: 'tiny', tokens: [5, 6] }, status: 200 },
  { path: '/apply-template', body: { model: 'tiny', messages }, status: 200 },
  { path: '/props?model=tiny', status: 200 },
  { path: '/slots?model=tiny', status: 200 },
  { path: '/lora-adapters?model=tiny', status: 200 },
  { path: '/metrics?model=tiny', status: 200 },
  { path: '/upstream/tiny/health', runnerPath: '/health', status: 200 },
  { path: '/upstream/tiny/v1/models?x=%20y', runnerPath: '/v1/models?x=%20y', status: 200 },
  { path: '/upstream/tiny/v1/models', runnerPath: '/v1/models', method: 'HEAD', status: 200 },
  { path: '/upstream/tiny/nowhere', runnerPath: '/nowhere', status: 404 },
  { path: '/upstream/tiny/completion', runnerPath: '/completion', body: '{bad', status: 500 },
  {
    path: '/upstream/tiny/v1/chat/completions',
    runnerPath: '/v1/chat/completions',
    body: chat({ stream: true }),
    status: 200,
  },
];

/** Different at each time that something is asked: ids, times, and what depends on them. */
const VOLATILE = new Set(
  'id created created_at completed_at item_id response_id call_id id_task timings time tokens_cached'.split(
    ' ',
  ),
);
/** Of one connection only, or Corral's own business: see docs/api.md. */
const OWN_HEADERS =
  /^(date|connection|keep-alive|transfer-encoding|content-length|access-control-.*|x-corral-.*|x-should-retry)$/;
/** Said of an event stream, whether the runner says it or not. */
const STREAM_HEADERS = { 'cache-control': 'no-cache', 'x-accel-buffering': 'no' };

/** JSON without what is different each time. */
const settled = (text: string): unknown =>
  JSON.parse(text, (key, value: unknown) => (VOLATILE.has(key) ? '…' : value));

/** A reply's body in a form that two replies to the same request have in common. */
function bodyOf(type: string, text: string): unknown {
  if (type.startsWith('application/json')) return text === '' ? '' : settled(text);
  // Metrics count on; which ones there are stays.
  if (type.startsWith('text/plain')) return text.replaceAll(/ [\d.e+-]+$/gm, '');
  if (!type.startsWith('text/event-stream')) return text;
  return text
    .split('\n')
    .map((line) =>
      /^data: [{[]/.test(line) ? settled(line.slice(6).replace(/^\[DONE\]$/, '"done"')) : line,
    );
}

const methodOf = ({ method, body }: Case): string => method ?? (body === undefined ? 'GET' : 'POST');

async function answerOf(url: string, one: Case, authorization: string, dispatcher?: Dispatcher) {
  const { body, contentType = 'application/json' } = one;
  const answer = await request(url, {
    method: methodOf(one) as Dispatcher.HttpMethod,
    reset: true,
    ...(dispatcher && { dispatcher }),
    headers: { authorization, 'content-type': contentType },
    body: typeof body === 'object' ? JSON.stringify(body) : (body ?? null),
  });
  const text = await answer.body.text();
  const type = String(answer.headers['content-type']);
  const told = Object.entries(answer.headers).filter(([name]) => !OWN_HEADERS.test(name));
  return {
    status: answer.statusCode,
    headers: { ...Object.fromEntries(told), ...(type.startsWith('text/event-stream') && STREAM_HEADERS) },
    body: bodyOf(type, text),
    all: answer.headers,
  };
}

describe('a request sent through Corral, and to the same runner directly', () => {
  let models: TestModels;
  before(async () => (models = await writeModels(['tiny', 'embed'])));
  after(() => models.remove());

  for (const runtime of runtimes)
    describe(`on ${runtime}`, function () {
      this.timeout(60_000);
      let corral: Corral;
      before(async () => {
        corral = await startCorral(runtime, { models: models.config(['tiny', 'embed']) });
        await corral.post('/tokenize', { model: 'tiny', content: 'x' });
        await corral.post('/v1/embeddings', { model: 'embed', input: 'x' });
      });
      after(() => corral.close());

      const runnerOf = (model: ModelName) => {
        const rows = [...ledgerOf(corral.scheduler).runners.values()];
        const endpoint = rows.find(({ spec }) => spec.name === model)?.endpoint;
        if (!endpoint) throw new Error(`${model} is not loaded`);
        return endpoint;
      };

      for (const one of cases) {
        const { path, body, model = 'tiny', runnerPath = path, status } = one;
        const told = typeof body === 'object' ? JSON.stringify(body).slice(0, 110) : '';
        it(`has the same answer: ${methodOf(one)} ${path} ${told}`, async () => {
          const endpoint = runnerOf(model);
          const runner = new Client(endpoint.baseUrl, { connect: runnerConnector(endpoint) });
          const answer = () =>
            answerOf(endpoint.baseUrl + runnerPath, one, `Bearer ${endpoint.apiKey}`, runner);
          // The first one fills the runner's cache, so that the other two find the same there.
          await answer();
          const { all: _, ...direct } = await answer();
          await runner.destroy();
          const { all: headers, ...through } = await answerOf(corral.url + path, one, 'Bearer mine');

          expect(through).to.deep.equal(direct);
          expect(headers['x-corral-runner']).to.be.a('string');
          if (runtime === 'llama-server') expect(through.status).to.equal(status);
        });
      }
    });
});
