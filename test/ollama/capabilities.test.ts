import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { Ollama } from 'ollama';
import type { LlamaLaunch } from '../../machines/vocabulary.ts';
import { hasInfillTokens } from '../../src/models/has-infill-tokens.ts';
import { capabilitiesOf } from '../../src/http/ollama/capabilities.ts';
import { runtimes, startCorral, type Corral } from '../support/corral.ts';
import { writeModels, type TestModels } from '../support/models.ts';

const TEMPLATE = `{% if tools %}{{ tools | tojson }}{% endif %}
{% for message in messages %}{{ message['role'] + ': ' + message['content'] }}
{% endfor %}{% if enable_thinking %}<think>{% endif %}`;
const tool = {
  type: 'function',
  function: {
    name: 'weather',
    description: 'tells it',
    parameters: { type: 'object', properties: { city: { type: 'string', description: 'where' } } },
  },
};
const messages = [{ role: 'user', content: 'hi' }];
const image = 'iVBORw0KGgo=';

describe('what a model can do', () => {
  let models: TestModels;
  before(async () => {
    models = await writeModels(['tiny', 'embed']);
    await writeFile(join(models.folder, 'tools.jinja'), TEMPLATE);
  });
  after(() => models.remove());

  /** Two models of one file, one of them with another template. */
  const configured = () => ({
    ...models.config(['tiny', 'embed'], { tiny: { aliases: ['small'] } }),
    tooled: {
      path: models.path('tiny'),
      args: ['--chat-template-file', join(models.folder, 'tools.jinja')],
    },
    twin: { path: models.path('tiny') },
  });

  for (const runtime of runtimes)
    describe(`on ${runtime}`, function () {
      this.timeout(60_000);
      let corral: Corral;
      let client: Ollama;
      before(async () => {
        corral = await startCorral(runtime, { models: configured() });
        client = new Ollama({ host: corral.url });
      });
      after(() => corral.close());

      const refused = async (act: () => Promise<unknown>): Promise<string> => {
        const error: unknown = await act().catch((thrown: unknown) => thrown);
        expect(error).to.include({ name: 'ResponseError', status_code: 400 });
        return String(error);
      };

      it('is refused in the words of Ollama when it cannot, before anything is loaded', async () => {
        for (const [act, words] of [
          [() => client.chat({ model: 'embed', messages }), '"embed" does not support chat'],
          [() => client.chat({ model: 'embed', messages: [] }), '"embed" does not support chat'],
          [() => client.generate({ model: 'embed', prompt: 'hi' }), '"embed" does not support generate'],
          [
            () => client.chat({ model: 'small:latest', messages, tools: [tool] }),
            '"small:latest" does not support tools',
          ],
          [() => client.chat({ model: 'tiny', messages, think: true }), '"tiny" does not support thinking'],
          [
            () => client.generate({ model: 'tiny', prompt: 'hi', think: 'low' }),
            '"tiny" does not support thinking',
          ],
          [
            () => client.generate({ model: 'tiny', prompt: 'a', suffix: 'b' }),
            '"tiny" does not support insert',
          ],
          [
            () => client.generate({ model: 'tiny', prompt: 'what?', images: [image] }),
            '"tiny" does not support vision',
          ],
          [
            () =>
              client.chat({ model: 'tiny', messages: [{ role: 'user', content: 'what?', images: [image] }] }),
            '"tiny" does not support vision',
          ],
        ] as const)
          expect(await refused(act)).to.contain(words);

        expect(corral.status().runners).to.deep.equal([]);
      });

      it('is not asked of a request that wants nothing of it', async () => {
        const reply = await client.chat({ model: 'tiny', messages, tools: [], think: false });

        expect(reply.message.content).to.equal(' this is tiny speaking');
      });

      it('is told by the template in force', async () => {
        const { capabilities, template } = await client.show({ model: 'tooled' });

        if (runtime === 'embedded') expect(capabilities).to.deep.equal(['completion']);
        else {
          expect(capabilities).to.deep.equal(['completion', 'tools', 'thinking']);
          expect(template).to.equal(TEMPLATE);
        }
        expect((await client.show({ model: 'tiny' })).capabilities).to.deep.equal(['completion']);
        expect((await client.show({ model: 'embed' })).capabilities).to.deep.equal(['embedding']);
      });

      if (runtime === 'llama-server')
        it('is done when it can', async () => {
          const options = { temperature: 0 };
          const { message } = await client.chat({
            model: 'tooled',
            messages,
            tools: [tool],
            think: true,
            options,
          });

          expect(message.role).to.equal('assistant');
          expect((message.thinking ?? '') + message.content).to.contain('this is tiny speaking');
        });

      it('goes with a digest: one for all names of a model, another for another model of the same file', async () => {
        const listed = (await client.list()).models;
        const digestOf = (name: string) => listed.find((row) => row.name === name)?.digest ?? name;
        const own = ['tiny', 'tiny:latest', 'small', 'small:latest'].map(digestOf);

        expect(new Set(own).size).to.equal(1);
        expect(new Set(['tiny', 'tooled', 'twin', 'embed'].map(digestOf)).size).to.equal(4);
        expect(own[0]).to.match(/^[0-9a-f]{64}$/);
      });
    });

  describe('by its launch and its file', () => {
    const launch: LlamaLaunch = {
      runtime: 'llama-server',
      modelPath: '',
      adapterPaths: [],
      contextTokens: 512,
      slots: 1,
      embedding: false,
      extraArgs: [],
    };
    const able = (over: Partial<LlamaLaunch>, templates = '', canInfill = false) =>
      capabilitiesOf({ ...launch, ...over }, { templates, canInfill });

    it('sees with a projector, from wherever it comes', () => {
      expect(able({ projectorPath: '/p' })).to.include('vision');
      for (const flag of ['--mmproj', '-mm', '--mmproj-url'])
        expect(able({ extraArgs: [flag, 'x'] })).to.include('vision');
    });

    it('is an embedder or a reranker by its arguments', () => {
      for (const flag of ['--embeddings', '--reranking'])
        expect(able({ extraArgs: [flag] })).to.deep.equal(['embedding']);
    });

    it('has no tools without the engine for templates', () => {
      expect(able({}, '{{ tools }}')).to.include('tools');
      expect(able({ extraArgs: ['--no-jinja'] }, '{{ tools }}')).to.not.include('tools');
    });

    for (const template of [
      '<think>{{ x }}</think>',
      "{{ content.split('</think>')[-1] }}",
      '{% if enable_thinking %}',
      'Reasoning: {{ reasoning_effort }}',
      '{% if thinking %}',
    ])
      it(`thinks by the template ${template}`, () => {
        expect(able({}, template)).to.deep.equal(['completion', 'thinking']);
      });

    it('fills gaps when its vocabulary has the tokens, though its header does not say which', async () => {
      const path = join(models.folder, 'vocabulary');
      const token = '<|fim_prefix|>';
      const length = Buffer.alloc(8, 0);
      length[0] = token.length;
      const file = Buffer.concat([Buffer.from('before'), length, Buffer.from(`${token}after`)]);
      await writeFile(path, file);

      expect(await hasInfillTokens(path, file.length)).to.equal(true);
      expect(await hasInfillTokens(path, 10)).to.equal(false);
      expect(await hasInfillTokens(models.path('tiny'), 200_000)).to.equal(false);
      expect(able({}, '', true)).to.include('insert');
    });
  });
});
