import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { Ollama } from 'ollama';
import { stringify } from 'yaml';
import { parseConfig } from '../../src/config/load-config.ts';
import { chat, realLlamaServer, startCorral, until, type Corral } from '../support/corral.ts';
import { writeModels, type TestModels } from '../support/models.ts';

const usageIn = (text: string): { readonly completion_tokens: number; readonly prompt_tokens: number } =>
  (JSON.parse(text) as { usage: { completion_tokens: number; prompt_tokens: number } }).usage;

describe(`names and parameters${realLlamaServer === null ? ' (real llama-server left out: npm run llama-server builds it)' : ''}`, function () {
  this.timeout(60_000);
  let models: TestModels;
  let corral: Corral;
  before(async () => {
    models = await writeModels(['tiny', 'other']);
  });
  afterEach(() => corral.close());
  after(() => models.remove());

  const start = async (over: { tiny?: object; more?: object }): Promise<void> => {
    corral = await startCorral('embedded', {
      models: models.config(['tiny', 'other'], { tiny: over.tiny ?? {} }),
      ...over.more,
    });
  };
  const tokensOf = async (model: string | undefined, over: object = {}): Promise<number> => {
    const { status, text } = await corral.post('/v1/chat/completions', { ...chat('x', over), model });
    expect(status, text).to.equal(200);
    return usageIn(text).completion_tokens;
  };
  const runners = (): string[] => corral.status().runners.map(({ model }) => model);

  describe('variants', () => {
    beforeEach(() =>
      start({
        tiny: {
          aliases: ['small'],
          variants: {
            'tiny-short': { set: { max_tokens: 1 } },
            'tiny-long': { default: { max_tokens: 3 } },
            'tiny-free': { strip: ['max_tokens'] },
            'tiny-kind': { system: 'be kind to everybody' },
            'org/Tiny': { set: { max_tokens: 2 } },
            small: { set: { max_tokens: 3 } },
          },
        },
      }),
    );

    it('are asked each in its own way, of one process', async () => {
      const whole = await tokensOf('tiny');

      expect(whole).to.be.greaterThan(3);
      expect(await tokensOf('tiny-short')).to.equal(1);
      expect(await tokensOf('tiny-short', { max_tokens: 4 })).to.equal(1);
      expect(await tokensOf('tiny-long')).to.equal(3);
      expect(await tokensOf('tiny-long', { max_tokens: 2 })).to.equal(2);
      expect(await tokensOf('tiny-free', { max_tokens: 1 })).to.equal(whole);
      expect(await tokensOf('ORG/tiny:latest')).to.equal(2);
      expect(await tokensOf('small')).to.equal(3);
      expect(await tokensOf('tiny', { max_tokens: 4 })).to.equal(4);
      expect(runners()).to.deep.equal(['tiny']);
      expect(corral.traces.size).to.equal(1);
    });

    it('may have long bodies, and are streamed', async () => {
      const padding = 'x'.repeat(300_000);
      expect(await tokensOf('tiny-short', { padding })).to.equal(1);

      const { text } = await corral.post(
        '/v1/chat/completions',
        chat('tiny-short', { stream: true, stream_options: { include_usage: true } }),
      );
      expect(text)
        .to.match(/"completion_tokens":1\b/)
        .and.to.match(/data: \[DONE\]\s*$/);
    });

    it('bring their system prompt', async () => {
      const promptTokens = async (model: string): Promise<number> => {
        const { text } = await corral.post('/v1/chat/completions', chat(model, { max_tokens: 1 }));
        return usageIn(text).prompt_tokens;
      };

      expect(await promptTokens('tiny-kind')).to.be.greaterThan(await promptTokens('tiny'));
    });

    it("are the same for Ollama's clients, who hear the name that they said", async () => {
      const client = new Ollama({ host: corral.url });
      const messages = [{ role: 'user', content: 'hi' }];
      const options = { temperature: 0, num_predict: 4 };

      const reply = await client.chat({ model: 'tiny-short', messages, options });
      expect([reply.model, reply.eval_count]).to.deep.equal(['tiny-short', 1]);
      const generated = await client.generate({ model: 'tiny-long', prompt: 'hi' });
      expect(generated.eval_count).to.equal(3);
    });

    it('are in the lists, and loaded, shown and unloaded like their model', async () => {
      const { data } = (await (await fetch(`${corral.url}/v1/models`)).json()) as { data: { id: string }[] };

      expect(data.map(({ id }) => id)).to.include.members(['tiny', 'tiny-short', 'org/Tiny']);
      expect((await corral.post('/models/load', { model: 'tiny-short' })).status).to.equal(200);
      expect(runners()).to.deep.equal(['tiny']);
      expect((await corral.post('/api/show', { model: 'tiny-short' })).status).to.equal(200);
      await corral.post('/models/unload', { model: 'tiny-long' });
      await until('it is gone', () => runners().length === 0);
    });

    it('are refused a body that cannot be read as ever', async () => {
      const { status } = await corral.post('/v1/chat/completions', { model: 'tiny-short', messages: 7 });

      expect(status).to.equal(400);
    });
  });

  if (realLlamaServer !== null)
    it('variants of llama-server have their system prompt, and think as they are told', async () => {
      const template = join(models.folder, 'thinking.jinja');
      writeFileSync(
        template,
        '{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}{{ "thinks" if enable_thinking else "does not" }}{{ reasoning_effort }}',
      );
      corral = await startCorral('llama-server', {
        models: {
          thinker: {
            path: models.path('tiny'),
            args: ['--chat-template-file', template],
            variants: {
              slow: { thinking: 'high', system: 'be kind' },
              quick: { thinking: false, set: { max_tokens: 2 } },
            },
          },
        },
      });
      const promptOf = async (model: string, messages: object[]): Promise<string> => {
        const { text } = await corral.post('/apply-template', { model, messages });
        return (JSON.parse(text) as { prompt: string }).prompt;
      };
      const hi = [{ role: 'user', content: 'hi' }];

      expect(await promptOf('slow', hi)).to.equal('system: be kind\nuser: hi\nthinkshigh');
      expect(await promptOf('slow', [{ role: 'system', content: 'mine' }, ...hi])).to.contain(
        'system: mine\nuser',
      );
      expect(await promptOf('quick', hi)).to.equal('user: hi\ndoes not');
      for (const path of ['/v1/messages', '/v1/responses']) {
        const body = path === '/v1/messages' ? { messages: hi } : { input: 'hi', max_output_tokens: 2 };
        const { status, text } = await corral.post(path, { model: 'quick', ...body });
        expect(status, text).to.equal(200);
      }
      expect(corral.traces.size).to.equal(1);
    });

  it('a default serves who names no model, or one that there is not; nobody does without', async () => {
    await start({ more: { defaultModel: 'tiny' } });
    const messages = [{ role: 'user', content: 'hi' }];

    for (const model of [undefined, '', 'gpt-4o'])
      expect(await tokensOf(model, { max_tokens: 2 })).to.equal(2);
    const ofOllama = await corral.post('/api/chat', { messages, stream: false });
    expect([ofOllama.status, ofOllama.body['model']]).to.deep.equal([200, 'tiny']);
    expect((await corral.post('/api/chat', { ...chat('none'), stream: false })).body).to.include({
      model: 'none',
    });
    expect(runners()).to.deep.equal(['tiny']);
    expect((await fetch(`${corral.url}/v1/models/gpt-4o`)).status).to.equal(404);
    expect((await corral.post('/models/unload', { model: 'gpt-4o' })).status).to.equal(404);
    await corral.close();

    await start({});
    expect((await corral.post('/v1/chat/completions', chat('gpt-4o'))).status).to.equal(404);
    expect((await corral.post('/v1/chat/completions', { messages: [] })).status).to.equal(400);
    expect((await corral.post('/api/chat', { messages: [] })).status).to.equal(400);
  });

  it('a default may be a variant', async () => {
    await start({
      tiny: { variants: { brief: { set: { max_tokens: 1 } } } },
      more: { defaultModel: 'brief' },
    });

    expect(await tokensOf('none')).to.equal(1);
  });

  it('a name for several models is that of the one that is loaded, else of the first', async () => {
    await start({
      tiny: { variants: { brief: { set: { max_tokens: 1 } } } },
      more: { anyOf: { any: ['brief', 'other'], lost: ['none', 'other'] } },
    });
    const meant = async (name: string): Promise<unknown> =>
      ((await (await fetch(`${corral.url}/v1/models/${name}`)).json()) as { corral: { name: string } }).corral
        .name;

    expect(await meant('any')).to.equal('tiny');
    await corral.post('/v1/chat/completions', chat('other'));
    expect(await meant('ANY')).to.equal('other');
    expect(await tokensOf('any')).to.be.greaterThan(1);
    expect(runners()).to.deep.equal(['other']);

    await corral.post('/models/unload', { model: 'other' });
    await until('it is gone', () => runners().length === 0);
    expect(await tokensOf('Any:latest')).to.equal(1);
    expect(runners()).to.deep.equal(['tiny']);
    expect(await meant('lost')).to.equal('other');
    expect((await corral.post('/api/show', { model: 'any' })).status).to.equal(200);
  });

  it('an alias with * is all names of that form that are no other', async () => {
    await start({ tiny: { aliases: ['claude-*', '*-mini'] }, more: {} });

    for (const model of ['claude-sonnet-4-5', 'Claude-3', 'gpt-4o-mini:latest'])
      expect(await tokensOf(model, { max_tokens: 1 }), model).to.equal(1);
    expect((await corral.post('/v1/chat/completions', chat('claude'))).status).to.equal(404);
    const { data } = (await (await fetch(`${corral.url}/v1/models`)).json()) as { data: { id: string }[] };
    expect(data.map(({ id }) => id)).to.deep.equal(['tiny', 'tiny:latest', 'other', 'other:latest']);
    expect((await fetch(`${corral.url}/v1/models/claude-opus`)).status).to.equal(200);
  });

  it('are taken over with a new configuration, without a reload of the model', async () => {
    await start({});
    await corral.close();
    const file = join(models.folder, 'corral.yaml');
    const write = (more: object): void =>
      writeFileSync(
        file,
        stringify({
          listen: { port: 0 },
          defaults: { runtime: 'embedded', context: 512, slots: 2 },
          ...more,
        }),
      );
    write({ models: models.config(['tiny']) });
    const read = () => parseConfig(readFileSync(file, 'utf8'));
    corral = await startCorral('embedded', { models: models.config(['tiny']) }, { configPath: file, read });
    await corral.post('/v1/chat/completions', chat('tiny'));

    write({
      models: models.config(['tiny'], { tiny: { variants: { brief: { set: { max_tokens: 1 } } } } }),
      anyOf: { any: ['brief'] },
      defaultModel: 'any',
    });
    const { status, text } = await corral.post('/api/v1/config/reload', {});

    expect(status, text).to.equal(200);
    expect(text).to.contain('variants').and.to.contain('anyOf').and.to.contain('defaultModel');
    for (const name of ['brief', 'any', 'whatever']) expect(await tokensOf(name)).to.equal(1);
    expect(corral.traces.size).to.equal(1);
  });
});

describe('names in a configuration', () => {
  const problem = (config: object): string => {
    try {
      parseConfig(stringify(config));
      return '';
    } catch (error) {
      return String(error);
    }
  };

  it('are taken once only, variants and names for several among them', () => {
    const a = { path: 'a.gguf' };

    expect(problem({ models: { a: { ...a, variants: { B: {} } }, b: a } })).to.contain("'b' is taken by 'a'");
    expect(problem({ models: { a }, anyOf: { A: ['a'] } })).to.contain("'A' is taken by 'a'");
    expect(problem({ models: { a: { ...a, aliases: ['x'], variants: { x: {}, a: {} } } } })).to.equal('');
    expect(problem({ models: { a: { ...a, variants: { A: {} } } } })).to.contain("'A' is taken by 'a'");
  });

  it('leave model and stream to the request', () => {
    for (const variant of [{ set: { model: 'x' } }, { default: { stream: true } }, { strip: ['stream'] }])
      expect(problem({ models: { a: { path: 'a.gguf', variants: { b: variant } } } })).to.contain(
        "the request's own",
      );
  });
});
