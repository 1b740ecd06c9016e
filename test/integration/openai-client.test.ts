import { expect } from 'chai';
import OpenAI from 'openai';
import { readSlots } from '../../actors/process/read-slots.ts';
import { realLlamaServer, runtimes, startCorral, until, type Corral } from '../support/corral.ts';
import { writeModels, type TestModels } from '../support/models.ts';
import { ledgerOf } from '../../src/ledger-of.ts';

const hi = {
  model: 'tiny',
  temperature: 0,
  messages: [{ role: 'user' as const, content: 'hi' }],
};
const weather = {
  type: 'function' as const,
  function: { name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } },
};

describe(`the openai client${realLlamaServer === null ? ' (real llama-server left out: npm run llama-server builds it)' : ''}`, () => {
  let models: TestModels;
  before(async () => {
    models = await writeModels(['tiny', 'endless', 'embed']);
  });
  after(() => models.remove());

  it('meets the real llama-server too in CI', () => {
    if (process.env['CI']) expect(realLlamaServer, 'npm run llama-server has to run first').to.be.a('string');
  });

  for (const runtime of runtimes)
    describe(`through Corral, on ${runtime}`, () => {
      let corral: Corral;
      let client: OpenAI;
      before(async function () {
        this.timeout(30_000);
        corral = await startCorral(runtime, {
          models: models.config(['tiny', 'endless', 'embed'], { endless: { context: 100_000 } }),
        });
        client = new OpenAI({ baseURL: `${corral.url}/v1`, apiKey: 'unused', maxRetries: 0 });
      });
      after(() => corral.close());

      it('lists the models', async () => {
        const list = await client.models.list();

        expect(list.data.map(({ id }) => id)).to.have.members(
          ['tiny', 'endless', 'embed'].flatMap((name) => [name, `${name}:latest`]),
        );
      });

      it('retrieves a model, with what Corral knows of it', async () => {
        const model = await client.models.retrieve('tiny');

        expect(model).to.include({ id: 'tiny', object: 'model', owned_by: 'corral' });
        expect(model).to.have.property('corral').that.includes({ state: 'unloaded', context_tokens: 512 });
        expect(model).to.have.nested.property('corral.need_bytes').that.is.greaterThan(0);
        expect(model).to.have.nested.property('corral.devices').that.deep.equals({});
      });

      it('chats with a cold model', async function () {
        this.timeout(30_000);
        const reply = await client.chat.completions.create({
          model: 'tiny',
          temperature: 0,
          messages: [{ role: 'user', content: 'hi' }],
        });

        expect(reply.choices[0]?.message.content).to.equal(' this is tiny speaking');
        expect(reply.choices[0]?.finish_reason).to.equal('stop');
        const { corral: known } = (await client.models.retrieve('tiny')) as unknown as {
          corral: { state: string; devices: Record<string, number> };
        };
        expect(known.state).to.be.oneOf(['ready', 'idle']);
        expect(known.devices['CPU']).to.be.greaterThan(0);
      });

      it('hears which runner served, and how long it waited', async () => {
        const { response } = await client.chat.completions.create(hi).withResponse();

        expect(response.headers.get('x-corral-runner')).to.match(/^runner-\d+$/);
        expect(response.headers.get('x-corral-wait-ms')).to.match(/^\d+$/);
        expect(response.headers.get('x-corral-load-ms')).to.match(/^\d+$/);
      });

      it('streams a chat', async () => {
        const stream = await client.chat.completions.create({
          model: 'tiny',
          temperature: 0,
          stream: true,
          stream_options: { include_usage: true },
          messages: [{ role: 'user', content: 'hi' }],
        });
        const pieces: string[] = [];
        let usage = 0;
        for await (const chunk of stream) {
          pieces.push(chunk.choices[0]?.delta.content ?? '');
          usage = chunk.usage?.completion_tokens ?? usage;
        }

        expect(pieces.filter(Boolean)).to.deep.equal([' this', ' is', ' tiny', ' speaking']);
        expect(usage).to.equal(5);
      });

      it('stops where it is told to', async () => {
        const reply = await client.chat.completions.create({ ...hi, stop: [' speaking'] });

        expect(reply.choices[0]?.message.content).to.equal(' this is tiny');
        expect(reply.choices[0]?.finish_reason).to.equal('stop');
      });

      it('offers tools, which the model may leave alone', async () => {
        const reply = await client.chat.completions.create({ ...hi, tools: [weather], tool_choice: 'auto' });

        expect(reply.choices[0]?.message.content).to.equal(' this is tiny speaking');
      });

      it('completes a text', async () => {
        const reply = await client.completions.create({
          model: 'tiny',
          temperature: 0,
          prompt: 'this is',
          max_tokens: 2,
        });

        expect(reply.choices[0]?.text).to.equal(' tiny speaking');
        expect(reply.choices[0]?.finish_reason).to.equal('length');
      });

      it('embeds texts, alike ones alike', async function () {
        this.timeout(30_000);
        const { data } = await client.embeddings.create({
          model: 'embed',
          input: ['aaaa bbbb', 'aaaa bbbc', 'zzz'],
        });
        const [a, b, c] = data.map(({ embedding }) => embedding);
        const dot = (x: number[] = [], y: number[] = []): number =>
          x.reduce((sum, v, i) => sum + v * (y[i] ?? 0), 0);

        expect(a).to.have.length(64);
        expect(dot(a, b)).to.be.greaterThan(dot(a, c));
      });

      it('gets embeddings as plain numbers, if it asks for them', async () => {
        const { data, usage } = await client.embeddings.create({
          model: 'embed',
          input: 'aaaa',
          encoding_format: 'float',
        });

        expect(data[0]?.embedding.every((value) => Number.isFinite(value))).to.equal(true);
        expect(usage.prompt_tokens).to.be.greaterThan(0);
      });

      if (runtime === 'llama-server') {
        it('gets JSON by a schema', async () => {
          const schema = { type: 'object', properties: { a: { enum: [1, 2] } }, required: ['a'] };
          const reply = await client.chat.completions.create({
            ...hi,
            response_format: { type: 'json_schema', json_schema: { name: 'answer', strict: true, schema } },
          });

          expect(JSON.parse(reply.choices[0]?.message.content ?? ''))
            .to.have.property('a')
            .that.is.oneOf([1, 2]);
        });

        it('gets log probabilities, streamed and not', async () => {
          const asked = { ...hi, logprobs: true, top_logprobs: 2, max_tokens: 2 };
          const whole = await client.chat.completions.create(asked);
          const tokens: string[] = [];
          for await (const { choices } of await client.chat.completions.create({ ...asked, stream: true }))
            for (const { token } of choices[0]?.logprobs?.content ?? []) tokens.push(token);

          const told = whole.choices[0]?.logprobs?.content ?? [];
          expect(told.map(({ token }) => token)).to.deep.equal([' this', ' is']);
          expect(told[0]?.top_logprobs).to.have.length(2);
          expect(tokens).to.deep.equal([' this', ' is']);
        });

        it('has responses, streamed and not', async () => {
          const asked = { model: 'tiny', temperature: 0, input: 'hi' };
          const whole = await client.responses.create(asked);
          const types: string[] = [];
          for await (const { type } of await client.responses.create({ ...asked, stream: true }))
            types.push(type);

          expect(whole.output_text).to.equal(' this is tiny speaking');
          expect(types.at(0)).to.equal('response.created');
          expect(types.at(-1)).to.equal('response.completed');
        });
      }

      it('throws its own error for what the runner lacks', async () => {
        const file = new File(['no sound'], 'a.wav');
        const error: unknown = await client.audio.transcriptions
          .create({ model: 'tiny', file })
          .catch((thrown: unknown) => thrown);

        expect(error).to.be.instanceOf(OpenAI.APIError).with.property('status').that.is.oneOf([404, 501]);
      });

      it('frees the slot when it cancels in mid-stream', async function () {
        this.timeout(30_000);
        const stop = new AbortController();
        const stream = await client.chat.completions.create(
          {
            model: 'endless',
            stream: true,
            temperature: 0,
            max_tokens: 90_000,
            messages: [{ role: 'user', content: 'hi' }],
          },
          { signal: stop.signal },
        );
        for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break;
        const runner = corral.status().runners.find(({ model }) => model === 'endless');
        const busySlots = async (): Promise<number> => {
          const endpoint = ledgerOf(corral.scheduler).runners.get(runner?.id ?? '')?.endpoint;
          if (!endpoint) throw new Error('it is not loaded');
          const slots = await readSlots(endpoint, 1_000, new AbortController().signal);
          return slots.filter((slot) => slot.is_processing).length;
        };

        stop.abort();

        // Far less than the whole reply takes.
        await until('the slot is free', async () => (await busySlots()) === 0, 5_000);
        await until('the lease has ended', () => corral.leases.counts.held === 0, 5_000);
        expect(corral.leases.counts.waiting).to.equal(0);
      });

      it('throws its own error for an unknown model, near misses first', async () => {
        const error = await client.chat.completions
          .create({ model: 'tinny', messages: [{ role: 'user', content: 'hi' }] })
          .catch((thrown: unknown) => thrown);

        expect(error).to.be.instanceOf(OpenAI.NotFoundError);
        expect(String(error)).to.match(/'tinny' not found\. Did you mean 'tiny'\? Models: tiny,/);
      });

      it('throws its own error for a bad body', async () => {
        const error = await client.chat.completions
          .create({ model: 'tiny' } as never)
          .catch((thrown: unknown) => thrown);

        expect(error).to.be.instanceOf(OpenAI.BadRequestError);
        expect(String(error)).to.contain("'messages' is required");
      });
    });
});
