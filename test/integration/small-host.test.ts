import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { residentBytes } from '../../actors/process/resident-bytes.ts';
import { startCorral, type Corral } from '../support/corral.ts';
import { writeModels, type TestModels } from '../support/models.ts';

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
const HOST_BYTES = 6 * GIB;
const NAMES = ['a', 'b', 'c', 'd'];
const server = fileURLToPath(new URL('../fixtures/keeps-prompts.mjs', import.meta.url));
/** What is not the model's: that of the program which plays llama-server here. */
const PROGRAM_BYTES = 96 * MIB;

/** Main memory of all runners as it was each time that it was looked at. */
class Watch {
  peakBytes = 0;
  mostLoaded = 0;
  readonly #corral: Corral;
  constructor(corral: Corral) {
    this.#corral = corral;
  }

  async look(): Promise<void> {
    const { runners, devices } = this.#corral.status();
    const sizes = await Promise.all(runners.map(({ pid }) => residentBytes(pid ?? 0)));
    this.peakBytes = Math.max(
      this.peakBytes,
      sizes.reduce<number>((sum, bytes) => sum + (bytes ?? 0), 0),
    );
    this.mostLoaded = Math.max(this.mostLoaded, runners.length);
    for (const { reservedBytes, limitBytes } of devices) expect(reservedBytes).to.be.at.most(limitBytes);
  }
}

describe('a host of 6 GiB with four models that each keep their prompts', () => {
  let models: TestModels;
  before(async function () {
    this.timeout(60_000);
    models = await writeModels(NAMES);
  });
  after(() => models.remove());

  /** A Corral that may use 6 GiB, with models of 128 MiB; each prompt leaves so much behind. */
  const start = (eachMiB: number, keys: object = {}): Promise<Corral> =>
    startCorral('embedded', {
      llamaServer: server,
      devices: { CPU: { memory: '6GiB' } },
      defaults: { runtime: 'llama-server', context: 4096, slots: 1 },
      models: models.config(
        NAMES,
        Object.fromEntries(
          NAMES.map((name) => [
            name,
            { memory: '256MiB', args: ['--weights', '128', '--each', String(eachMiB)], ...keys },
          ]),
        ),
      ),
    });
  const ask = async (corral: Corral, model: string, i: number): Promise<void> => {
    const prompt = `${model} ${i} ${'and so on '.repeat(2_000)}`;
    const { status, text } = await corral.post('/v1/completions', { model, prompt, max_tokens: 1 });
    expect(status, text).to.equal(200);
  };

  it('serves 500 long prompts, and holds no more than was booked', async function () {
    this.timeout(120_000);
    const corral = await start(32);
    const watch = new Watch(corral);
    try {
      for (let i = 0; i < 500; i += NAMES.length) {
        await Promise.all(NAMES.map((model) => ask(corral, model, i)));
        await watch.look();
      }

      const { runners } = corral.status();
      expect(runners.map(({ model }) => model)).to.have.members(NAMES);
      expect([...corral.traces.values()].flat()).to.not.include.members(['failed']);
      const booked = runners.reduce((sum, { reservedBytes }) => sum + (reservedBytes['CPU'] ?? 0), 0);
      expect(booked).to.be.at.most(HOST_BYTES);
      // Without a word of it each would have kept 4 GiB of them.
      expect(watch.peakBytes).to.be.within(4 * 192 * MIB, booked + NAMES.length * PROGRAM_BYTES);
    } finally {
      await corral.close();
    }
  });

  it('has as many of them at a time as their full caches leave room for', async function () {
    this.timeout(120_000);
    const corral = await start(8, { promptCache: '1600MiB' });
    const watch = new Watch(corral);
    try {
      for (let i = 0; i < 8; i++)
        for (const model of NAMES) {
          await ask(corral, model, i);
          await watch.look();
        }

      expect(watch.mostLoaded, 'three of 1.8 GiB').to.be.within(3, 4);
      expect(corral.status().runners.filter(({ state }) => state === 'idle')).to.have.length(3);
      expect(watch.peakBytes).to.be.at.most(HOST_BYTES);
    } finally {
      await corral.close();
    }
  });
});
