import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { request } from 'undici';
import { startCorral, until, type Corral } from '../support/corral.ts';
import { writeModels, type TestModels } from '../support/models.ts';

const MIB = 1024 ** 2;
const server = fileURLToPath(new URL('../fixtures/keeps-prompts.mjs', import.meta.url));
const WITHIN_MS = 30_000;

describe('a runner that holds more and more while it serves', () => {
  let models: TestModels;
  let corral: Corral;
  before(async function () {
    this.timeout(60_000);
    models = await writeModels(['leaky', 'other']);
    corral = await startCorral('embedded', {
      llamaServer: server,
      devices: { CPU: { memory: '1GiB' } },
      defaults: { runtime: 'llama-server', context: 512, slots: 1, promptCache: '16MiB' },
      models: models.config(['leaky', 'other'], {
        leaky: { args: ['--weights', '64', '--leaks', '96'] },
        other: { memory: '300MiB' },
      }),
    });
  });
  after(async () => {
    await corral.close();
    await models.remove();
  });

  const ask = (model: string) => corral.post('/v1/completions', { model, prompt: 'hi', max_tokens: 1 });
  const bookedFor = (name: string): number =>
    corral.status().runners.find(({ model }) => model === name)?.reservedBytes['CPU'] ?? 0;
  const got = async <Body>(path: string): Promise<Body> => {
    const answer = await request(corral.url + path);
    return (await answer.body.json()) as Body;
  };

  it('is booked as it grows; the idle one goes before there is nothing left', async function () {
    this.timeout(120_000);
    await ask('other');
    for (let i = 0; i < 3; i++) await ask('leaky');
    await until('what it holds is booked', () => bookedFor('leaky') > 300 * MIB, WITHIN_MS);
    expect(bookedFor('other')).to.be.greaterThan(0);

    for (let i = 0; i < 4; i++) await ask('leaky');
    await until('the other one has gone', () => bookedFor('other') === 0, WITHIN_MS);

    expect(bookedFor('leaky')).to.be.within(700 * MIB, 1_400 * MIB);
    const { decisions } = await got<{ decisions: { kind: string; model: string; reason: string }[] }>(
      '/api/v1/decisions',
    );
    expect(decisions.find(({ kind }) => kind === 'outgrown')?.reason).to.match(
      /^holds \d+ MiB of CPU: \d+ MiB more than was planned$/,
    );
    expect(decisions.find(({ kind }) => kind === 'evict')?.reason).to.match(/^leaky has outgrown its plan/);
  });

  it('is known for it the next time', async function () {
    this.timeout(60_000);
    const seen = (): number =>
      corral.status().runners.find(({ model }) => model === 'leaky')?.measuredBytes ?? 0;
    await until('all of it has been seen', () => seen() > 700 * MIB, WITHIN_MS);

    const { options } = await got<{ options: { needBytes: number; needSource: string } }>(
      '/api/v1/models/leaky',
    );

    expect(options.needSource).to.equal('measured');
    expect(options.needBytes).to.be.greaterThan(600 * MIB);
  });
});
