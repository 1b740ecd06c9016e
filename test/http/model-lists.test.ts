import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import OpenAI from 'openai';
import { startCorral, type Corral } from '../support/corral.ts';
import { writeModels, type TestModels } from '../support/models.ts';

const fake = fileURLToPath(new URL('../fixtures/fake-llama-server.mjs', import.meta.url));

/** What clients read besides OpenAI's own members. */
interface Listed {
  readonly id: string;
  readonly aliases: readonly string[];
  readonly context_length: number;
  readonly max_model_len: number;
  readonly capabilities: readonly string[];
  readonly architecture: Record<string, readonly string[]>;
  readonly status: { readonly value: string; readonly failed?: boolean };
  readonly meta: Record<string, number>;
}

describe('what lists of models tell', function () {
  this.timeout(60_000);
  let models: TestModels;
  let corral: Corral;
  before(async () => {
    models = await writeModels(['tiny', 'embed']);
    const template = join(models.folder, 'tools.jinja');
    await writeFile(template, '{% if tools %}{{ tools }}{% endif %}{{ messages }}');
    corral = await startCorral('llama-server', {
      llamaServer: fake,
      models: {
        ...models.config(['tiny', 'embed'], { tiny: { aliases: ['Small'], context: 256 } }),
        'org/tooled': { path: models.path('tiny'), args: ['--chat-template-file', template] },
        seeing: { path: models.path('tiny'), projector: models.path('embed') },
        ranking: { path: models.path('embed'), args: ['--reranking'] },
        lost: { path: '/nowhere/lost.gguf' },
      },
    });
  });
  after(async () => {
    await corral.close();
    await models.remove();
  });

  const client = (): OpenAI => new OpenAI({ baseURL: `${corral.url}/v1`, apiKey: 'none', maxRetries: 0 });
  const one = async (name: string): Promise<Listed> =>
    (await client().models.retrieve(name)) as unknown as Listed;

  it('is the context, under the names that clients look for', async () => {
    const tiny = await one('tiny');

    expect(tiny).to.include({ context_length: 256, max_model_len: 256 });
    expect(tiny.meta).to.include({ n_ctx: 256 });
    expect(tiny.meta).to.include.all.keys('n_ctx_train', 'n_embd', 'n_params', 'size');
  });

  it('is what a model can do', async () => {
    const can = async (name: string) => (await one(name)).capabilities;

    expect(await can('tiny')).to.deep.equal(['completion']);
    expect(await can('org/tooled')).to.deep.equal(['completion', 'tools']);
    expect(await can('seeing')).to.deep.equal(['completion', 'vision']);
    expect(await can('embed')).to.deep.equal(['embedding']);
    expect(await can('ranking')).to.deep.equal(['rerank']);
    expect((await one('seeing')).architecture).to.deep.equal({
      input_modalities: ['text', 'image'],
      output_modalities: ['text'],
    });
    expect((await one('embed')).architecture['output_modalities']).to.deep.equal(['embeddings']);
  });

  it('is the other names of a model, each of which is in the list', async () => {
    const listed = (await client().models.list()).data as unknown as readonly Listed[];

    expect((await one('tiny')).aliases).to.deep.equal(['Small']);
    expect((await one('Small')).aliases).to.deep.equal(['tiny']);
    expect(listed.map(({ id }) => id)).to.include.members(['tiny', 'Small', 'tiny:latest', 'org/tooled']);
  });

  it('is found by what a request would be served by', async () => {
    for (const name of ['TINY', 'tiny:latest', 'Tiny:LATEST', 'small', 'SMALL:latest']) {
      const { status } = await corral.post('/v1/chat/completions', { model: name, messages: [] });
      expect(status, name).to.not.equal(404);
      const reply = await fetch(`${corral.url}/v1/models/${name}`);
      expect(reply.status, name).to.equal(200);
      expect(await reply.json(), name).to.have.nested.property('corral.name', 'tiny');
    }
    for (const path of ['org/tooled', 'org%2Ftooled', 'ORG/Tooled:latest', '/org//tooled/'])
      expect((await fetch(`${corral.url}/v1/models/${path}`)).status, path).to.equal(200);
  });

  it('is little of a model that cannot be used', async () => {
    const lost = await one('lost');

    expect(lost.status).to.deep.equal({ value: 'unloaded', failed: true });
    expect(lost.capabilities).to.deep.equal([]);
    expect(lost).to.not.have.property('context_length');
  });

  it("is what Anthropic's clients ask: how much goes in", async () => {
    const headers = { 'anthropic-version': '2023-06-01' };
    const reply = await fetch(`${corral.url}/v1/models/tiny`, { headers });

    expect(await reply.json()).to.include({ id: 'tiny', max_input_tokens: 256, max_tokens: 256 });
  });
});
