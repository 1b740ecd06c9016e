import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { startCorral, type Corral } from '../support/corral.ts';
import { writeModels, type TestModels } from '../support/models.ts';

const fake = fileURLToPath(new URL('../fixtures/fake-llama-server.mjs', import.meta.url));

describe('a model with a llama-server of its own', () => {
  let models: TestModels;
  let corral: Corral;
  beforeEach(async () => {
    models = await writeModels(['tiny']);
  });
  afterEach(async () => {
    await corral.close();
    await models.remove();
  });

  it('is started with that, through its wrapper, in its environment', async function () {
    // Where there is no /proc, an environment cannot be looked at.
    if (process.platform !== 'linux') this.skip();
    corral = await startCorral('embedded', {
      models: models.config(['tiny'], {
        tiny: {
          llamaServer: fake,
          runtime: 'llama-server',
          wrapper: ['/usr/bin/env', 'THROUGH=a wrapper'],
          env: { GGML_CUDA_NO_PINNED: '1' },
        },
      }),
    });

    const { status, text } = await corral.post('/v1/chat/completions', { model: 'tiny', messages: [] });

    expect(status, text).to.equal(200);
    const pid = corral.status().runners[0]?.pid ?? 0;
    const of = (file: string): string[] => readFileSync(`/proc/${pid}/${file}`, 'utf8').split('\0');
    expect(of('environ')).to.include.members(['THROUGH=a wrapper', 'GGML_CUDA_NO_PINNED=1']);
    expect(of('cmdline')).to.include.members([fake, '--model']);
  });
});
