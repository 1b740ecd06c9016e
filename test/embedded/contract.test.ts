import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { request } from 'undici';
import { freePort } from '../../actors/process/free-port.ts';
import { isHealthy } from '../../actors/process/await-ready.ts';
import { realLlamaServer, until } from '../support/corral.ts';
import { writeModels, type TestModels } from '../support/models.ts';

const main = fileURLToPath(new URL('../../embedded/main.ts', import.meta.url));
const KEY = 'a-key-of-its-own';

/** A runner process by itself, without Corral. */
class Runner {
  readonly process: ChildProcess;
  readonly url: string;
  output = '';

  private constructor(file: string, args: readonly string[], port: number) {
    this.url = `http://127.0.0.1:${port}`;
    this.process = spawn(file, args, { env: { ...process.env, LLAMA_API_KEY: KEY } });
    for (const stream of [this.process.stdout, this.process.stderr])
      stream?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
  }

  static async start(
    kind: 'embedded' | 'llama-server',
    model: string,
    more: readonly string[] = [],
  ): Promise<Runner> {
    const port = await freePort();
    const args = [
      '--model',
      model,
      '--alias',
      'it',
      '--host',
      '127.0.0.1',
      '--port',
      String(port),
      '-c',
      '1024',
      '-np',
      '2',
    ];
    const runner =
      kind === 'embedded'
        ? new Runner(process.execPath, ['--import', 'tsx', main, ...args, ...more], port)
        : new Runner(realLlamaServer ?? '', [...args, '--no-webui', '--offline', '-t', '1', ...more], port);
    return runner;
  }

  async ready(): Promise<this> {
    const { signal } = new AbortController();
    await until(
      `it is ready: ${this.output}`,
      () => isHealthy({ baseUrl: this.url, apiKey: '' }, signal),
      20_000,
    );
    return this;
  }

  async send(path: string, body?: unknown, key = KEY) {
    const answer = await request(this.url + path, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${key}` },
      // Not over a connection that the runner may be closing just now.
      reset: true,
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await answer.body.text();
    return { status: answer.statusCode, type: String(answer.headers['content-type']).split(';')[0], text };
  }

  async stop(): Promise<void> {
    const over = once(this.process, 'exit');
    if (this.process.exitCode === null && this.process.kill('SIGTERM')) await over;
  }
}

const chat = { messages: [{ role: 'user', content: 'hi' }], temperature: 0 };
const events = (text: string): Record<string, never>[] =>
  text
    .split('\n\n')
    .filter((line) => line.startsWith('data: {'))
    .map((line) => JSON.parse(line.slice(6)) as Record<string, never>);

const kinds = realLlamaServer === null ? (['embedded'] as const) : (['embedded', 'llama-server'] as const);
describe(`a runner’s HTTP contract${realLlamaServer === null ? ' (real llama-server left out: npm run llama-server builds it)' : ''}`, () => {
  let models: TestModels;
  before(async () => {
    models = await writeModels(['tiny', 'endless', 'embed']);
  });
  after(() => models.remove());

  for (const kind of kinds)
    describe(`of ${kind}`, () => {
      let runner: Runner;
      let embedder: Runner;
      before(async function () {
        this.timeout(60_000);
        runner = await (await Runner.start(kind, models.path('tiny'))).ready();
        embedder = await (await Runner.start(kind, models.path('embed'), ['--embedding'])).ready();
      });
      after(() => Promise.all([runner.stop(), embedder.stop()]));

      it('says what it is', async () => {
        const props = JSON.parse((await runner.send('/props')).text) as Record<string, unknown>;
        const slots = JSON.parse((await runner.send('/slots')).text) as Record<string, unknown>[];

        expect(props).to.include({ total_slots: 2, model_alias: 'it' });
        expect(props['default_generation_settings']).to.include({ n_ctx: 512 });
        expect(slots.map((slot) => [slot['id'], slot['n_ctx'], slot['is_processing']])).to.deep.equal([
          [0, 512, false],
          [1, 512, false],
        ]);
      });

      it('wants its key, but not for its health', async () => {
        const refused = await runner.send('/v1/chat/completions', chat, 'wrong');

        expect(refused.status).to.equal(401);
        expect(JSON.parse(refused.text)).to.deep.equal({
          error: { code: 401, message: 'Invalid API Key', type: 'authentication_error' },
        });
        expect(await runner.send('/health', undefined, 'wrong')).to.include({
          status: 200,
          text: '{"status":"ok"}',
        });
      });

      it('chats', async () => {
        const answer = JSON.parse((await runner.send('/v1/chat/completions', chat)).text) as Record<
          string,
          unknown
        >;

        expect(answer).to.include({ object: 'chat.completion', model: 'it' });
        expect(answer['choices']).to.deep.equal([
          {
            finish_reason: 'stop',
            index: 0,
            message: { role: 'assistant', content: ' this is tiny speaking' },
          },
        ]);
        expect(answer['usage']).to.include({ completion_tokens: 5 });
        expect(answer['timings']).to.have.any.keys('predicted_n');
      });

      it('streams a chat: role, words, end, usage', async () => {
        const { text, type } = await runner.send('/v1/chat/completions', {
          ...chat,
          stream: true,
          stream_options: { include_usage: true },
        });
        const chunks = events(text);
        const deltas = chunks.map(({ choices }) => (choices as unknown as { delta?: object }[])[0]?.delta);

        expect(type).to.equal('text/event-stream');
        expect(deltas[0]).to.deep.equal({ role: 'assistant', content: null });
        expect(deltas.slice(1, 5)).to.deep.equal(
          [' this', ' is', ' tiny', ' speaking'].map((content) => ({ content })),
        );
        expect(chunks.at(-1)?.['usage']).to.include({ completion_tokens: 5 });
        expect(text).to.match(/data: \[DONE\]\n\n$/);
      });

      it('stops at a stop string without showing any of it', async () => {
        const { text } = await runner.send('/v1/chat/completions', { ...chat, stop: ['tiny sp'] });

        expect(text).to.match(/"content":" this is "?/);
        expect(text).to.not.contain('tiny');
      });

      it('completes a text, in both shapes', async () => {
        const body = { prompt: 'this is', temperature: 0, max_tokens: 2, n_predict: 2 };
        const openai = JSON.parse((await runner.send('/v1/completions', body)).text) as {
          choices: { text: string }[];
        };
        const native = JSON.parse((await runner.send('/completion', body)).text) as Record<string, unknown>;

        expect(openai.choices[0]).to.include({ text: ' tiny speaking', finish_reason: 'length' });
        expect(native).to.include({ content: ' tiny speaking', stop_type: 'limit', tokens_predicted: 2 });
      });

      it('completes several prompts, texts and tokens, each under its index', async () => {
        const { tokens } = JSON.parse(
          (await runner.send('/tokenize', { content: 'this is', add_special: true })).text,
        ) as { tokens: number[] };
        const body = { prompt: ['this is tiny', tokens], temperature: 0, max_tokens: 2, n_predict: 2 };
        const texts = [' speaking', ' tiny speaking'];

        const whole = JSON.parse((await runner.send('/v1/completions', body)).text) as {
          choices: { index: number; text: string }[];
        };
        const native = JSON.parse((await runner.send('/completion', body)).text) as { content: string }[];
        const streamed = await runner.send('/v1/completions', { ...body, stream: true });

        expect(whole.choices.map(({ index, text }) => [index, text])).to.deep.equal([...texts.entries()]);
        expect(native.map(({ content }) => content)).to.deep.equal(texts);
        const joined = ['', ''];
        for (const { choices } of events(streamed.text) as unknown as (typeof whole)[])
          for (const { index, text } of choices) joined[index] += text;
        expect(joined).to.deep.equal(texts);
        expect(streamed.text).to.match(/data: \[DONE\]\n\n$/);
        expect((await runner.send('/v1/completions', { prompt: [] })).status).to.equal(400);
      });

      it('refuses tokens that its vocabulary does not have', async () => {
        for (const token of [-1, 99_999_999])
          for (const [path, body] of [
            ['/v1/completions', { prompt: [token] }],
            ['/completion', { prompt: ['this', token], n_predict: 1 }],
          ] as const)
            expect((await runner.send(path, body)).status, `${path} ${token}`).to.equal(400);
      });

      it('takes a prompt that is mixed of texts and tokens for one', async () => {
        const { tokens } = JSON.parse((await runner.send('/tokenize', { content: ' is' })).text) as {
          tokens: number[];
        };
        const body = { prompt: ['this', ...tokens], temperature: 0, max_tokens: 2 };

        const { choices } = JSON.parse((await runner.send('/v1/completions', body)).text) as {
          choices: { text: string }[];
        };

        expect(choices.map(({ text }) => text)).to.deep.equal([' tiny speaking']);
      });

      it('steps over a byte order mark', async () => {
        expect((await runner.send('/tokenize', '\uFEFF{"content":"hi"}')).status).to.equal(200);
      });

      if (kind === 'embedded')
        it("answers clients of Anthropic's API in their form", async () => {
          for (const path of ['/v1/messages', '/v1/messages/count_tokens?beta=true']) {
            const { status, text } = await runner.send(path, chat);
            expect(status).to.equal(404);
            expect(JSON.parse(text)).to.have.property('type', 'error');
            expect(JSON.parse(text)).to.have.nested.property('error.type', 'not_found_error');
          }
        });

      it('answers the same prompt twice, the second time from its cache', async () => {
        await runner.send('/v1/chat/completions', chat);
        const again = JSON.parse((await runner.send('/v1/chat/completions', chat)).text) as Record<
          string,
          never
        >;

        expect(JSON.stringify(again)).to.contain(' this is tiny speaking');
        expect(
          (again['usage'] as unknown as Record<string, Record<string, number>>)['prompt_tokens_details']?.[
            'cached_tokens'
          ],
        ).to.be.greaterThan(0);
      });

      it('turns text into tokens and back', async () => {
        const { tokens } = JSON.parse((await runner.send('/tokenize', { content: 'this is tiny' })).text) as {
          tokens: number[];
        };

        expect(JSON.parse((await runner.send('/detokenize', { tokens })).text)).to.deep.equal({
          content: 'this is tiny',
        });
      });

      it('embeds, as numbers or as bytes', async () => {
        const plain = JSON.parse((await embedder.send('/v1/embeddings', { input: ['a', 'b'] })).text) as {
          data: { embedding: number[]; index: number }[];
        };
        const bytes = JSON.parse(
          (await embedder.send('/v1/embeddings', { input: 'a', encoding_format: 'base64' })).text,
        ) as { data: { embedding: string }[] };
        const first = plain.data[0]?.embedding ?? [];

        expect(plain.data.map(({ index }) => index)).to.deep.equal([0, 1]);
        expect(Math.hypot(...first)).to.be.closeTo(1, 1e-3);
        expect(Buffer.from(bytes.data[0]?.embedding ?? '', 'base64').readFloatLE(0)).to.be.closeTo(
          first[0] ?? 0,
          1e-4,
        );
      });

      for (const { title, path, body, status, type } of [
        {
          title: 'a body that is no JSON',
          path: '/v1/chat/completions',
          body: '{bad',
          status: 500,
          type: 'server_error',
        },
        {
          title: 'a chat without messages',
          path: '/v1/chat/completions',
          body: {},
          status: 400,
          type: 'invalid_request_error',
        },
        {
          title: 'a prompt that is too long',
          path: '/v1/completions',
          body: { prompt: 'this '.repeat(2_000) },
          status: 400,
          type: 'exceed_context_size_error',
        },
        {
          title: 'an embedding of a chat model',
          path: '/v1/embeddings',
          body: { input: 'x' },
          status: 501,
          type: 'not_supported_error',
        },
        {
          title: 'a path that is not there',
          path: '/nowhere',
          body: {},
          status: 404,
          type: 'not_found_error',
        },
      ] as const)
        it(`refuses ${title} with ${status}`, async () => {
          const answer = await runner.send(path, body);
          const { error } = JSON.parse(answer.text) as { error: Record<string, unknown> };

          expect(answer.status).to.equal(status);
          expect(error).to.include({ code: status, type });
        });

      if (kind === 'embedded')
        it('says which path it does not have', async () => {
          const { text } = await runner.send('/v1/messages', {});

          expect(text).to.include('the embedded runner has no POST /v1/messages; llama-server may have it');
        });

      if (kind === 'embedded')
        for (const wish of [
          { response_format: { type: 'json_object' } },
          { json_schema: {} },
          { grammar: 'root ::= "a"' },
          { logprobs: true },
          { n_probs: 2 },
          { n: 2 },
          { tool_choice: 'required' },
        ])
          it(`refuses ${Object.keys(wish).join()} rather than pass over it`, async () => {
            const answer = await runner.send('/v1/chat/completions', { ...chat, ...wish });

            expect(answer.status).to.equal(501);
            expect(answer.text).to.contain(
              `'${Object.keys(wish).join()}' is not supported by the embedded runner`,
            );
          });

      it('takes wishes that ask for nothing', async () => {
        const nothing = { response_format: { type: 'text' }, logprobs: false, n: 1, tool_choice: 'auto' };

        expect((await runner.send('/v1/chat/completions', { ...chat, ...nothing })).status).to.equal(200);
      });

      it('exits with 0 on SIGTERM', async function () {
        this.timeout(30_000);
        const other = await (await Runner.start(kind, models.path('tiny'))).ready();

        await other.stop();

        expect(other.process.exitCode).to.equal(0);
      });

      it('exits with 1 when the file is missing, and says so', async function () {
        this.timeout(30_000);
        const other = await Runner.start(kind, '/nowhere/model.gguf');
        if (other.process.exitCode === null) await once(other.process, 'exit');

        expect(other.process.exitCode).to.equal(1);
        await until(
          'it has said so',
          () => /failed to open GGUF file '\/nowhere\/model\.gguf'/.test(other.output),
          1_000,
        );
      });
    });
});
