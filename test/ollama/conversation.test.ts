import { expect } from 'chai';
import fc from 'fast-check';
import { Ollama } from 'ollama';
import { continued, fromContext, toContext, type Turn } from '../../src/http/ollama/conversation.ts';
import { startCorral, type Corral } from '../support/corral.ts';
import { writeModels, type TestModels } from '../support/models.ts';

describe("the context of Ollama's generations", function () {
  this.timeout(60_000);
  let models: TestModels;
  let corral: Corral;
  let client: Ollama;
  before(async () => {
    models = await writeModels(['tiny']);
    corral = await startCorral('embedded', { models: models.config(['tiny']) });
    client = new Ollama({ host: corral.url });
  });
  after(async () => {
    await corral.close();
    await models.remove();
  });

  const options = { temperature: 0, num_predict: 3 };
  const common = { model: 'tiny', options };

  it('goes on with what was said, streamed and not', async () => {
    const first = await client.generate({ ...common, prompt: 'hi there', system: 'be brief' });
    const second = await client.generate({ ...common, prompt: 'and you?', context: first.context });
    const pieces = [];
    for await (const piece of await client.generate({
      ...common,
      prompt: 'and you?',
      context: first.context,
      stream: true,
    }))
      pieces.push(piece);

    expect(fromContext(first.context)).to.deep.equal([
      { role: 'system', content: 'be brief' },
      { role: 'user', content: 'hi there' },
      { role: 'assistant', content: first.response },
    ]);
    expect(second.prompt_eval_count).to.be.greaterThan(first.prompt_eval_count);
    expect(fromContext(second.context)?.map(({ content }) => content)).to.deep.equal([
      'be brief',
      'hi there',
      first.response,
      'and you?',
      second.response,
    ]);
    expect(pieces.at(-1)?.context).to.deep.equal(second.context);
    for (const piece of pieces.slice(0, -1)) expect(piece).to.not.have.property('context');
  });

  it('of another server is ignored, and told', async () => {
    const { status, headers } = await corral.post('/api/generate', {
      ...common,
      prompt: 'hi',
      context: [1, 2, 3],
      stream: false,
    });

    expect([status, headers['x-corral-ignored']]).to.deep.equal([200, 'context']);
  });

  it('is none where there is no conversation', async () => {
    expect(await client.generate({ ...common, prompt: 'hi', raw: true })).to.not.have.property('context');
    expect(await client.generate({ ...common, prompt: '' })).to.not.have.property('context');
  });

  it('is whatever was said, and nothing that is damaged', () => {
    const turns = fc.array(
      fc.record({
        role: fc.constantFrom<Turn['role']>('system', 'user', 'assistant'),
        content: fc.string({ unit: 'grapheme' }),
      }),
    );
    fc.assert(
      fc.property(turns, (said) => {
        expect(fromContext(toContext(said))).to.deep.equal(said);
      }),
    );
    const [mark = 0, ...rest] = toContext([{ role: 'user', content: 'hi' }]);
    for (const damaged of [[mark], [mark, -1], [mark, 2 ** 40], [mark, ...rest.slice(1)], rest, []])
      expect(fromContext(damaged)).to.equal(null);
  });

  it('is led by who says last how to behave', () => {
    const before: Turn[] = [
      { role: 'system', content: 'be brief' },
      { role: 'user', content: 'a' },
    ];

    expect(continued(before, { prompt: 'b' }).map(({ content }) => content)).to.deep.equal([
      'be brief',
      'a',
      'b',
    ]);
    expect(continued(before, { prompt: 'b', system: 'be long' }).map(({ content }) => content)).to.deep.equal(
      ['be long', 'a', 'b'],
    );
  });
});
