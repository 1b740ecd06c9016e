import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { request } from 'undici';
import { startCorral, until, type Corral } from '../support/corral.ts';
import { writeModels, type TestModels } from '../support/models.ts';

const SAYS = 'llama_model_load: error loading model: unknown model architecture: zebra';

describe('a model whose load has failed, one that is unloaded, and one that nobody has asked for', () => {
  let models: TestModels;
  let corral: Corral;
  before(async function () {
    this.timeout(60_000);
    models = await writeModels(['bad', 'gone', 'never']);
    const broken = join(models.folder, 'llama-server');
    await writeFile(broken, `#!/bin/sh\necho '${SAYS}' >&2\nexit 1\n`);
    await chmod(broken, 0o755);
    const { bad, ...others } = models.config(['bad', 'gone', 'never']) as Record<string, object>;
    corral = await startCorral('embedded', {
      llamaServer: broken,
      models: { bad: { ...bad, runtime: 'llama-server' }, ...others },
    });
    for (const model of ['bad', 'gone'])
      await corral.post('/v1/completions', { model, prompt: 'hi', max_tokens: 1 });
    await corral.post('/api/v1/models/gone/unload', {});
    await until('it is gone', () => corral.status().runners.length === 0);
  });
  after(async () => {
    await corral.close();
    await models.remove();
  });

  const got = async (path: string): Promise<Record<string, never>> => {
    const answer = await request(corral.url + path);
    return (await answer.body.json()) as Record<string, never>;
  };
  type Listed = { id: string; state: string; corral: { state: string; failure?: string }; failure?: string };

  it('differ in lists of models, with the reason', async () => {
    const { data } = (await got('/v1/models')) as unknown as { data: (Listed & { status: object })[] };
    const of = (name: string) => data.find(({ id }) => id === name);

    expect(data.map(({ id, corral: { state } }) => [id, state])).to.deep.include.members([
      ['bad', 'failed'],
      ['gone', 'unloaded'],
      ['never', 'unloaded'],
    ]);
    expect(of('bad')?.corral.failure).to.contain('unknown model architecture');
    expect(of('bad')?.status).to.deep.equal({ value: 'unloaded', failed: true });
    expect(of('gone')?.corral).to.not.have.property('failure');
  });

  it('differ in the API, where the problem is told', async () => {
    const bad = await got('/api/v1/models/bad');

    expect(bad['state']).to.equal('failed');
    expect(bad['problem']).to.include({ code: 'model_file_invalid' });
    expect(await got('/api/v1/models/gone')).to.include({ state: 'unloaded', problem: null });
    expect(await got('/api/v1/models/never')).to.include({ state: 'unloaded', problem: null });
    const { failed } = (await got('/api/v1/status')) as unknown as { failed: { model: string }[] };
    expect(failed.map(({ model }) => model)).to.deep.equal(['bad']);
  });

  it('differ in the lists of other servers', async () => {
    const { running } = (await got('/running')) as unknown as { running: object[] };
    const { data } = (await got('/api/v0/models')) as unknown as { data: Listed[] };

    expect(running).to.have.length(1);
    expect(running[0]).to.include({ model: 'bad', state: 'failed' });
    expect(data.map(({ id, state }) => [id, state])).to.deep.equal([
      ['bad', 'failed'],
      ['gone', 'not-loaded'],
      ['never', 'not-loaded'],
    ]);
    expect(data[0]?.failure).to.contain('unknown model architecture');
  });

  it('are told by explain', async () => {
    expect((await got('/api/v1/explain/bad'))['reason']).to.contain('unknown model architecture');
  });
});
