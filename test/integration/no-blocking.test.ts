import { expect } from 'chai';
import { request } from 'undici';
import { chat, runtimes, startCorral, until, type Corral } from '../support/corral.ts';
import { writeModels, type TestModels } from '../support/models.ts';

describe('a model that waits', () => {
  let models: TestModels;
  before(async function () {
    this.timeout(60_000);
    models = await writeModels(['tiny', 'endless', 'a', 'b']);
  });
  after(() => models.remove());

  for (const runtime of runtimes)
    it(`blocks neither a loaded one nor one that can be loaded, on ${runtime}`, async function () {
      this.timeout(60_000);
      const corral = await startCorral(runtime, {
        devices: { CPU: { memory: '600MiB' } },
        defaults: { promptCache: 0 },
        models: models.config(['tiny', 'endless', 'a', 'b'], {
          tiny: { memory: '100MiB' },
          endless: { memory: '150MiB', context: 100_000 },
          a: { memory: '300MiB' },
          b: { memory: '500MiB' },
        }),
      });
      try {
        await corral.post('/v1/chat/completions', chat('tiny'));
        // `endless` is busy from now on; `b` needs its room and has to wait for it.
        const stream = await request(`${corral.url}/v1/chat/completions`, {
          method: 'POST',
          body: JSON.stringify(chat('endless', { stream: true })),
          bodyTimeout: 0,
        });
        stream.body.on('error', () => {});
        stream.body.resume();
        const waiting = corral.post('/v1/chat/completions', chat('b'));
        await until('b waits', () => corral.status().queue.some(({ model }) => model === 'b'));

        // `a` is loading, and held there; `tiny` is served meanwhile, and then `a`: neither stands behind `b`.
        const frozen = freezeAtStart(corral, 'a');
        const loading = corral.post('/v1/chat/completions', chat('a'));
        const pid = await frozen;
        const tiny = await corral.post('/v1/chat/completions', chat('tiny'));
        const stillLoading = corral.status().runners.find(({ model }) => model === 'a')?.state;
        process.kill(pid, 'SIGCONT');
        const a = await loading;
        const reason = corral.status().queue.find(({ model }) => model === 'b')?.reason;

        expect(tiny.status).to.equal(200);
        expect(stillLoading).to.equal('loading');
        expect(a.status).to.equal(200);
        expect(reason).to.match(/needs 500 MiB on CPU; what could be evicted there is in use/);

        stream.body.destroy();
        expect((await waiting).status).to.equal(200);
      } finally {
        await corral.close();
      }
    });
});

/** Stops a model's process in the moment in which it has been started, so that its load takes as long as a test wants. */
const freezeAtStart = (corral: Corral, model: string): Promise<number> =>
  new Promise((resolve) => {
    const watching = corral.scheduler.on('runner.changed', () => {
      const pid = corral.status().runners.find((runner) => runner.model === model)?.pid ?? null;
      if (pid === null) return;
      process.kill(pid, 'SIGSTOP');
      watching.unsubscribe();
      resolve(pid);
    });
  });
