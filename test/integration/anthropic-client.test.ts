import Anthropic from '@anthropic-ai/sdk';
import { expect } from 'chai';
import { runtimes, startCorral, until, type Corral } from '../support/corral.ts';
import { writeModels, type TestModels } from '../support/models.ts';

const hi = {
  model: 'tiny',
  max_tokens: 20,
  temperature: 0,
  messages: [{ role: 'user' as const, content: 'hi' }],
};

describe('the anthropic client', () => {
  let models: TestModels;
  before(async () => {
    models = await writeModels(['tiny', 'endless']);
  });
  after(() => models.remove());

  for (const runtime of runtimes)
    describe(`through Corral, on ${runtime}`, function () {
      this.timeout(30_000);
      let corral: Corral;
      let client: Anthropic;
      before(async () => {
        corral = await startCorral(runtime, { models: models.config(['tiny', 'endless']) });
        client = new Anthropic({ baseURL: corral.url, apiKey: 'unused', maxRetries: 0 });
      });
      after(() => corral.close());

      const errorOf = (asked: Promise<unknown>): Promise<unknown> => asked.catch((thrown: unknown) => thrown);

      it('lists the models, and retrieves one', async () => {
        const ids: string[] = [];
        for await (const { id } of client.models.list()) ids.push(id);
        const one = await client.models.retrieve('tiny');

        expect(ids).to.have.members(['tiny', 'tiny:latest', 'endless', 'endless:latest']);
        expect(one).to.include({ id: 'tiny', type: 'model', display_name: 'tiny' });
        expect(Date.parse(one.created_at)).to.be.greaterThan(0);
      });

      it('throws its own error for an unknown model, near misses first', async () => {
        const error = await errorOf(client.messages.create({ ...hi, model: 'tinny' }));

        expect(error).to.be.instanceOf(Anthropic.NotFoundError);
        expect(error).to.have.nested.property('error.error.type', 'not_found_error');
        expect(String(error)).to.match(/'tinny' not found\. Did you mean 'tiny'\?/);
      });

      it('throws its own error for a model that is missing', async () => {
        const error = await errorOf(client.messages.create({ ...hi, model: '' }));

        expect(error).to.be.instanceOf(Anthropic.BadRequestError);
        expect(error).to.have.nested.property('error.error.type', 'invalid_request_error');
      });

      if (runtime === 'embedded')
        it('hears that the embedded runner has no messages', async () => {
          expect(await errorOf(client.messages.create(hi))).to.be.instanceOf(Anthropic.NotFoundError);
        });
      else {
        it('sends a message to a cold model', async () => {
          const reply = await client.messages.create({ ...hi, system: 'be brief' });

          expect(reply).to.include({
            type: 'message',
            role: 'assistant',
            model: 'tiny',
            stop_reason: 'end_turn',
          });
          expect(reply.content).to.deep.equal([{ type: 'text', text: ' this is tiny speaking' }]);
          expect(reply.usage.output_tokens).to.equal(5);
        });

        it('streams a message', async () => {
          const stream = client.messages.stream(hi);
          const types: string[] = [];
          stream.on('streamEvent', ({ type }) => types.push(type));

          expect(await stream.finalText()).to.equal(' this is tiny speaking');
          expect(types.at(0)).to.equal('message_start');
          expect(types.at(-1)).to.equal('message_stop');
        });

        it('stops at a limit, and at a sequence', async () => {
          const short = await client.messages.create({ ...hi, max_tokens: 2 });
          const stopped = await client.messages.create({ ...hi, stop_sequences: [' speaking'] });

          expect(short.stop_reason).to.equal('max_tokens');
          expect(stopped.content).to.deep.equal([{ type: 'text', text: ' this is tiny' }]);
        });

        it('offers tools, which the model may leave alone', async () => {
          const schema = { type: 'object' as const, properties: { city: { type: 'string' } } };
          const reply = await client.messages.create({
            ...hi,
            tools: [{ name: 'weather', input_schema: schema }],
          });

          expect(reply.stop_reason).to.equal('end_turn');
        });

        it('counts tokens', async () => {
          const { input_tokens: counted } = await client.messages.countTokens({
            model: 'tiny',
            messages: hi.messages,
          });
          const { usage } = await client.messages.create(hi);

          expect(counted).to.equal(usage.input_tokens + (usage.cache_read_input_tokens ?? 0));
        });

        it('frees its slot when it cancels in mid-stream', async () => {
          const stream = client.messages.stream({ ...hi, model: 'endless', max_tokens: 400 });
          stream.on('text', () => stream.abort());

          expect(await errorOf(stream.finalMessage())).to.be.instanceOf(Anthropic.APIUserAbortError);
          await until('the lease is released', () => corral.leases.counts.held === 0, 5_000);
        });
      }
    });
});
