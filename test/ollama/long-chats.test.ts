import { expect } from 'chai';
import { shortened, sparable, textOf } from '../../src/http/ollama/shorten-chat.ts';
import { runtimes, startCorral, type Corral } from '../support/corral.ts';
import { writeModels, type TestModels } from '../support/models.ts';

const CONTEXT = 512;
const rule = { role: 'system', content: 'be brief' };
const said = (nth: number): object => ({
  role: nth % 2 === 0 ? 'user' : 'assistant',
  content: `message ${nth}: ${'this is tiny speaking '.repeat(12)}`,
});
const chatOf = (messages: number): object[] => [
  rule,
  ...Array.from({ length: messages }, (_, nth) => said(nth)),
  { role: 'user', content: 'and now?' },
];

describe('a chat that is longer than the context', () => {
  let models: TestModels;
  before(async () => {
    models = await writeModels(['tiny']);
  });
  after(() => models.remove());

  for (const runtime of runtimes)
    describe(`on ${runtime}`, function () {
      this.timeout(60_000);
      let corral: Corral;
      before(async () => {
        corral = await startCorral(runtime, {
          defaults: { context: CONTEXT },
          models: models.config(['tiny']),
        });
      });
      after(() => corral.close());

      const ask = (messages: object[], over: object = {}) =>
        corral.post('/api/chat', {
          model: 'tiny',
          messages,
          stream: false,
          options: { num_predict: 4 },
          ...over,
        });

      it('is answered without its oldest messages, as many as need be', async () => {
        const { status, body, headers, text } = await ask(chatOf(80));

        expect(status, text).to.equal(200);
        expect(body).to.include({ done: true });
        expect(Number(headers['x-corral-left-out'])).to.be.within(1, 80);
        expect(body['prompt_eval_count']).to.be.within(CONTEXT / 4, CONTEXT);
        expect(corral.leases.counts).to.deep.equal({ waiting: 0, held: 0 });
      });

      it('is streamed as well', async () => {
        const { text, headers } = await ask(chatOf(80), { stream: true });

        expect(Number(headers['x-corral-left-out'])).to.be.greaterThan(0);
        expect(text.trim().split('\n').at(-1)).to.contain('"done":true');
      });

      it('is whole where it fits', async () => {
        const { status, headers } = await ask(chatOf(1));

        expect(status).to.equal(200);
        expect(headers).to.not.have.property('x-corral-left-out');
      });

      it('is refused when it may not be cut, or one message alone is too long', async () => {
        const long = { role: 'user', content: 'this is tiny speaking '.repeat(2_000) };

        expect((await ask(chatOf(80), { truncate: false })).status).to.equal(400);
        expect((await ask([long])).status).to.equal(400);
        expect((await ask([said(0), long])).status).to.equal(400);
      });
    });

  it('keeps its system prompts and its last message, and no result without its call', () => {
    const call = { role: 'assistant', content: '', tool_calls: [{}] };
    const result = { role: 'tool', content: '7' };
    const [first, last] = [said(0), said(2)];
    const chat = [rule, first, call, result, result, last];

    expect(sparable({ messages: chat })).to.equal(4);
    expect(shortened(chat, 0)).to.deep.equal(chat);
    expect(shortened(chat, 1)).to.deep.equal([rule, call, result, result, last]);
    expect(shortened(chat, 2)).to.deep.equal([rule, last]);
    expect(shortened(chat, 4)).to.deep.equal([rule, last]);
    expect(sparable({ messages: [rule, last] })).to.equal(0);
  });

  it('is measured by what is said', () => {
    const parts = {
      role: 'user',
      content: [
        { type: 'text', text: 'see' },
        { type: 'image_url', image_url: {} },
      ],
    };

    expect(textOf({ messages: [rule, parts, {}] })).to.equal('be brief\nsee\n\n');
  });
});
