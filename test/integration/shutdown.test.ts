import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { stringify } from 'yaml';
import { isRunning, realLlamaServer, runtimes, until } from '../support/corral.ts';
import { writeModels, type TestModels } from '../support/models.ts';
import { StartedCorral } from '../support/started-corral.ts';

for (const runtime of runtimes)
  describe(`the end of Corral, on ${runtime}`, () => {
    let models: TestModels;
    let folder: string;
    let corral: StartedCorral;
    before(async () => {
      models = await writeModels(['endless', 'tiny']);
    });
    after(() => models.remove());
    beforeEach(async function () {
      this.timeout(40_000);
      folder = await mkdtemp(join(tmpdir(), 'corral-end-'));
      const config = {
        listen: { port: 0 },
        dataFolder: folder,
        // However busy the machine is: what is shown is that requests finish, not how soon.
        shutdownGrace: '5m',
        ...(realLlamaServer && { llamaServer: realLlamaServer }),
        defaults: { runtime, slots: 1 },
        devices: { CPU: { memory: '500MiB' } },
        models: models.config(['endless', 'tiny'], {
          endless: { memory: '400MiB', context: 100_000 },
          tiny: { memory: '400MiB' },
        }),
      };
      await writeFile(join(folder, 'corral.yaml'), stringify(config));
      corral = new StartedCorral(join(folder, 'corral.yaml'));
      await corral.ready();
    });
    afterEach(async () => {
      corral.process.kill('SIGKILL');
      await rm(folder, { recursive: true, force: true });
    });

    it('lets running requests finish, answers the queue, and exits 0', async function () {
      this.timeout(180_000);
      const running = corral.chat('endless', { max_tokens: 1_500 });
      await until('it runs', async () =>
        (await corral.status()).runners.some(({ state }) => state === 'ready'),
      );
      const queued = corral.chat('tiny');
      await until('one waits', async () => (await corral.status()).queue.length === 1);
      const pids = (await corral.status()).runners.map(({ pid }) => pid ?? 0);

      corral.process.kill('SIGTERM');
      const refused = await queued;
      const finished = await running;
      const [code] = await corral.exit;

      expect(refused.status).to.equal(503);
      expect(refused.text).to.match(/shutting down/);
      expect(finished.status).to.equal(200);
      expect(finished.text).to.match(/"finish_reason":"length"/);
      expect(code).to.equal(0);
      expect(pids.filter(isRunning)).to.deep.equal([]);
    });

    it('hurries on a second signal', async function () {
      this.timeout(60_000);
      const running = corral.chat('endless').catch(() => ({ status: 0, text: '' }));
      await until('it runs', async () =>
        (await corral.status()).runners.some(({ state }) => state === 'ready'),
      );

      corral.process.kill('SIGTERM');
      await until('it drains', () => corral.output.includes('draining'));
      corral.process.kill('SIGTERM');
      const [code] = await corral.exit;
      await running;

      expect(code).to.equal(0);
    });

    it('leaves no runner alive after kill -9', async function () {
      this.timeout(60_000);
      void corral.chat('endless', { stream: true }).catch(() => {});
      await until('it runs', async () =>
        (await corral.status()).runners.some(({ state }) => state === 'ready'),
      );
      const pids = (await corral.status()).runners.map(({ pid }) => pid ?? 0);
      expect(pids.filter(isRunning)).to.have.length(1);

      corral.process.kill('SIGKILL');

      // Within 2 s where there is a core to run on; here others may have them all.
      await until('no runner is alive', () => !pids.some(isRunning), 10_000);
    });
  });
