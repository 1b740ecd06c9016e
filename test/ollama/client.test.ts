import { expect } from 'chai';
import { Ollama, type ChatResponse } from 'ollama';
import { request } from 'undici';
import { runtimes, startCorral, until, type Corral } from '../support/corral.ts';
import { writeModels, type TestModels } from '../support/models.ts';

describe('the ollama client', () => {
  let models: TestModels;
  before(async () => {
    models = await writeModels(['tiny', 'endless', 'embed']);
  });
  after(() => models.remove());

  for (const runtime of runtimes)
    describe(`through Corral, on ${runtime}`, function () {
      this.timeout(30_000);
      let corral: Corral;
      let client: Ollama;
      before(async () => {
        corral = await startCorral(runtime, { models: models.config(['tiny', 'endless', 'embed']) });
        client = new Ollama({ host: corral.url });
      });
      after(() => corral.close());

      const say = (model: string, over: object = {}) => ({
        model,
        messages: [{ role: 'user', content: 'hi' }],
        options: { temperature: 0 },
        ...over,
      });
      const postJson = async (path: string, body: object, headers: Record<string, string> = {}) => {
        const answer = await request(corral.url + path, {
          method: 'POST',
          body: JSON.stringify(body),
          headers,
        });
        const text = await answer.body.text();
        return { status: answer.statusCode, headers: answer.headers, text };
      };
      const stateOf = (model: string): string =>
        corral.status().runners.find((runner) => runner.model === model)?.state ?? 'unloaded';

      it('loads a model with an empty chat', async () => {
        const reply = await client.chat({ model: 'tiny:latest', messages: [] });

        expect(reply).to.deep.include({
          model: 'tiny:latest',
          message: { role: 'assistant', content: '' },
          done: true,
          done_reason: 'load',
        });
        expect(stateOf('tiny')).to.be.oneOf(['idle', 'ready']);
      });

      it('chats', async () => {
        const reply = await client.chat(say('tiny'));

        expect(reply.message).to.deep.equal({ role: 'assistant', content: ' this is tiny speaking' });
        expect(reply).to.include({ model: 'tiny', done: true, done_reason: 'stop', eval_count: 5 });
        expect(reply.prompt_eval_count).to.be.greaterThan(5);
        expect(reply.total_duration).to.be.greaterThan(reply.eval_duration).and.to.be.lessThan(60e9);
        expect(Date.parse(String(reply.created_at))).to.be.closeTo(Date.now(), 60_000);
      });

      it('streams a chat', async () => {
        const parts: ChatResponse[] = [];
        for await (const part of await client.chat({ ...say('tiny'), stream: true })) parts.push(part);

        expect(parts.map(({ message }) => message.content)).to.deep.equal([
          ' this',
          ' is',
          ' tiny',
          ' speaking',
          '',
        ]);
        expect(parts.map(({ done }) => done)).to.deep.equal([false, false, false, false, true]);
        expect(parts.at(-1)).to.include({ done_reason: 'stop', eval_count: 5 });
      });

      it('streams by default, as lines of JSON', async () => {
        const { text, headers } = await postJson('/api/chat', say('tiny'));

        expect(headers['content-type']).to.equal('application/x-ndjson');
        expect(headers['x-corral-runner']).to.be.a('string');
        expect(text.trimEnd().split('\n')).to.have.length(5);
      });

      it('generates, streamed and not, with the template and raw', async () => {
        const options = { temperature: 0 };
        const whole = await client.generate({ model: 'tiny', prompt: 'hi', system: 'be brief', options });
        const raw = await client.generate({
          model: 'tiny',
          prompt: 'this is',
          raw: true,
          options: { ...options, num_predict: 2 },
        });
        let streamed = '';
        for await (const { response } of await client.generate({
          model: 'tiny',
          prompt: 'hi',
          options,
          stream: true,
        }))
          streamed += response;

        expect(whole.response).to.equal(' this is tiny speaking');
        expect(raw).to.include({ response: ' tiny speaking', done_reason: 'length', eval_count: 2 });
        expect(streamed).to.equal(' this is tiny speaking');
      });

      it('embeds one text and several', async () => {
        const { embeddings, prompt_eval_count: counted } = await client.embed({
          model: 'embed',
          input: ['aaaa', 'bbbb'],
        });
        const one = await client.embed({ model: 'embed', input: 'aaaa' });
        const short = await client.embed({ model: 'embed', input: 'aaaa', dimensions: 8 });
        const old = await client.embeddings({ model: 'embed', prompt: 'aaaa' });

        expect(embeddings.map(({ length }) => length)).to.deep.equal([64, 64]);
        expect(counted).to.be.greaterThan(0);
        expect(old.embedding).to.have.length(64);
        one.embeddings[0]?.forEach((value, i) =>
          expect(value).to.be.closeTo(embeddings[0]?.[i] ?? NaN, 1e-3),
        );
        expect(Math.hypot(...(short.embeddings[0] ?? []))).to.be.closeTo(1, 1e-6);
        expect((await client.embed({ model: 'embed', input: [] })).embeddings).to.deep.equal([]);
      });

      it('lists, shows and tells what is loaded', async () => {
        const { models: listed } = await client.list();
        const tiny = listed.find(({ name }) => name === 'tiny');
        const shown = await client.show({ model: 'tiny' });
        const { models: loaded } = await client.ps();

        expect(listed.map(({ name }) => name)).to.have.members(
          ['tiny', 'endless', 'embed'].flatMap((name) => [name, `${name}:latest`]),
        );
        expect(tiny?.size).to.be.greaterThan(100_000);
        expect(tiny?.digest).to.match(/^[0-9a-f]{64}$/);
        expect(tiny?.details).to.deep.equal({
          parent_model: '',
          format: 'gguf',
          family: 'llama',
          families: ['llama'],
          parameter_size: tiny?.details.parameter_size,
          quantization_level: 'F16',
          context_length: 512,
          embedding_length: 64,
        });
        expect(
          listed.map((one) => [one.name, (one as { capabilities?: unknown }).capabilities]),
        ).to.deep.include.members([
          ['tiny', ['completion']],
          ['embed', ['embedding']],
        ]);
        expect(tiny?.details.parameter_size).to.match(/^\d+(\.\d)?K$/);
        expect(shown.capabilities).to.deep.equal(['completion']);
        expect((await client.show({ model: 'embed' })).capabilities).to.deep.equal(['embedding']);
        expect(shown.template).to.contain('<|im_start|>');
        expect(shown.model_info).to.include({ 'general.architecture': 'llama', 'llama.block_count': 2 });
        const row = loaded.find(({ name }) => name === 'tiny');
        expect(row).to.include({ model: 'tiny', context_length: 512 });
        expect(row?.size).to.be.greaterThan(0);
        expect(Date.parse(String(row?.expires_at))).to.be.greaterThan(Date.now());
        expect((await client.version()).version).to.match(/^\d+\.\d+\.\d+$/);
      });

      it('ends the generation when it is aborted', async () => {
        const stream = await client.chat({ ...say('endless'), stream: true });
        let caught: unknown;

        try {
          for await (const { message } of stream) if (message.content) client.abort();
        } catch (error) {
          caught = error;
        }

        expect(caught).to.have.property('name', 'AbortError');
        await until('the lease to be released', () => corral.leases.counts.held === 0, 2_000);
      });

      for (const [keepAlive, seconds] of [
        [30, 30],
        ['45s', 45],
        ['5m', 300],
        ['1h30m', 5_400],
      ] as const)
        it(`keeps a model for ${keepAlive}${typeof keepAlive === 'number' ? ' seconds' : ''}`, async () => {
          await client.generate({ model: 'tiny', prompt: '', keep_alive: keepAlive });
          const row = (await client.ps()).models.find(({ name }) => name === 'tiny');

          const left = (Date.parse(String(row?.expires_at)) - Date.now()) / 1_000;
          expect(left)
            .to.be.at.most(seconds)
            .and.to.be.above(seconds - 20);
        });

      it('keeps a model for ever when the keep-alive is negative, in any unit', async () => {
        for (const keepAlive of [-1, '-1m']) {
          await client.chat({ model: 'tiny', messages: [], keep_alive: keepAlive });
          const row = (await client.ps()).models.find(({ name }) => name === 'tiny');
          expect(new Date(row?.expires_at ?? 0).getUTCFullYear()).to.be.greaterThan(2200);
        }
      });

      it('keeps a model for as long as it is told, and unloads it at once', async () => {
        await client.generate({ model: 'tiny', prompt: '', keep_alive: -1 });
        const kept = (await client.ps()).models.find(({ name }) => name === 'tiny');
        const reply = await client.generate({ model: 'tiny', prompt: '', keep_alive: 0 });

        expect(new Date(kept?.expires_at ?? 0).getUTCFullYear()).to.be.greaterThan(2200);
        expect(reply).to.include({ response: '', done: true, done_reason: 'unload' });
        await until('tiny to be gone', () => stateOf('tiny') === 'unloaded');
      });

      it('unloads a model after a request with keep_alive 0, and tells its load in ns', async () => {
        const reply = await client.chat({ ...say('tiny'), keep_alive: '0s' });

        expect(reply.load_duration).to.be.greaterThan(1e6).and.to.be.lessThan(30e9);
        await until('tiny to be gone', () => stateOf('tiny') === 'unloaded');
      });

      if (runtime === 'llama-server')
        it('formats by a schema, and tells log probabilities', async () => {
          const format = { type: 'object', properties: { a: { enum: [1, 2] } }, required: ['a'] };
          const formatted = await client.chat({ ...say('tiny'), format });
          const told = await client.chat(
            say('tiny', { logprobs: true, top_logprobs: 2, options: { temperature: 0, num_predict: 2 } }),
          );

          expect(JSON.parse(formatted.message.content)).to.have.property('a').that.is.oneOf([1, 2]);
          expect(told.logprobs?.map(({ token }) => token)).to.deep.equal([' this', ' is']);
          expect(told.logprobs?.[0]?.top_logprobs).to.have.length(2);
        });

      it('tells what had no effect', async () => {
        const { headers } = await postJson(
          '/api/chat',
          say('tiny', { stream: false, options: { num_ctx: 100_000, num_gpu: 3, 'x\r\ny: z': 1 } }),
        );
        const silent = await postJson('/api/chat', say('tiny', { stream: false, options: { num_ctx: 256 } }));

        expect(headers['x-corral-ignored']).to.equal('num_ctx, num_gpu');
        expect(silent.headers).to.not.have.property('x-corral-ignored');
      });

      it('throws its own error for an unknown model', async () => {
        const error: unknown = await client.chat(say('tinny')).catch((thrown: unknown) => thrown);

        expect(error).to.include({ name: 'ResponseError', status_code: 404 });
        expect(String(error)).to.match(/model 'tinny' not found\. Did you mean 'tiny'\?/);
      });

      it("passes the runner's own errors on", async () => {
        for (const stream of [true, false]) {
          const { status, text } = await postJson(
            '/api/chat',
            say('tiny', { stream, messages: [{ role: 'user', content: 'word '.repeat(900) }] }),
          );
          expect(status).to.equal(400);
          expect(JSON.parse(text))
            .to.have.property('error')
            .that.match(/exceeds the available context size/);
        }
      });

      it('refuses requests that make no sense', async () => {
        for (const [body, error] of [
          [{ messages: [] }, /^model: /],
          [say('tiny', { logprobs: true, top_logprobs: 21 }), /top_logprobs/],
          [say('tiny', { options: { temperature: 'hot' } }), /option "temperature" must be a number/],
          [say('tiny', { keep_alive: 'soon' }), /keep_alive/],
          [say('tiny', { messages: [{ content: 'x' }] }), /messages\.0\.role/],
          [say('tiny', { format: 'xml' }), /^format: /],
        ] as const) {
          const { status, text } = await postJson('/api/chat', body);
          expect(status).to.equal(400);
          expect(JSON.parse(text).error).to.match(error);
        }
        expect(
          (await postJson('/api/generate', { model: 'tiny', prompt: 'x', template: '{{ .Other }}' })).status,
        ).to.equal(400);
        const empty = await request(`${corral.url}/api/chat`, { method: 'POST' });
        expect(empty.statusCode).to.equal(400);
        expect(await empty.body.json()).to.deep.equal({ error: 'missing request body' });
      });

      it('takes a body with a byte order mark', async () => {
        for (const path of ['/api/chat', '/v1/chat/completions']) {
          const body = `\uFEFF${JSON.stringify(say('tiny', { stream: false }))}`;
          const answer = await request(corral.url + path, { method: 'POST', body });
          expect(await answer.body.text(), path).to.contain(' this is tiny speaking');
        }
      });
    });
});
