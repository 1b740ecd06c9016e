import { writeFile, truncate, copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { request } from 'undici';
import { chat, isRunning, runtimes, startCorral, until, type Corral } from '../support/corral.ts';
import { writeModels, type TestModels } from '../support/models.ts';

const fastHealth = { everyMs: 100, answerWithinMs: 200, failures: 3, stuckMs: 60_000 };

for (const runtime of runtimes)
  describe(`when things go wrong, on ${runtime}`, () => {
    let models: TestModels;
    let corral: Corral;
    before(async function () {
      this.timeout(60_000);
      models = await writeModels(['tiny', 'other', 'endless', 'a']);
    });
    after(() => models.remove());
    afterEach(() => corral.close());

    const runnerOf = (model: string) => corral.status().runners.find((runner) => runner.model === model);
    const pidOf = (model: string): number => runnerOf(model)?.pid ?? 0;
    const error = (answer: { body: Record<string, never> }) =>
      answer.body['error'] as unknown as Record<string, string>;
    const startStream = async (model: string) => {
      const { body, statusCode } = await request(`${corral.url}/v1/chat/completions`, {
        method: 'POST',
        body: JSON.stringify(chat(model, { stream: true })),
        bodyTimeout: 0,
      });
      let text = '';
      body.on('data', (chunk: Buffer) => (text += chunk.toString()));
      const over = new Promise<void>((resolve) => {
        body.on('close', resolve);
        body.on('error', () => resolve());
      });
      await until('the stream has begun', () => text.includes('content'));
      return { text: () => text, over, statusCode };
    };

    it('names the file that is missing, corrupt or cut off, and goes on', async function () {
      this.timeout(30_000);
      const corrupt = join(models.folder, 'corrupt.gguf');
      const cut = join(models.folder, 'cut.gguf');
      await writeFile(corrupt, 'this is no model at all');
      await copyFile(models.path('a'), cut);
      await truncate(cut, 50_000_000);
      corral = await startCorral(runtime, {
        models: {
          missing: { path: '/nowhere/model.gguf' },
          corrupt: { path: corrupt },
          cut: { path: cut },
          ...models.config(['tiny']),
        },
      });

      const answers = await Promise.all(
        ['missing', 'corrupt', 'cut', 'tiny'].map((name) => corral.post('/v1/chat/completions', chat(name))),
      );

      expect(answers.map(({ status }) => status)).to.deep.equal([404, 500, 500, 200]);
      expect(answers.slice(0, 3).map((answer) => error(answer)['code'])).to.deep.equal([
        'model_file_missing',
        'model_file_invalid',
        'model_file_invalid',
      ]);
      expect(answers[0]?.text).to.contain('/nowhere/model.gguf');
      expect(answers[1]?.text).to.contain('GGUF');
      expect(answers[2]?.text).to.contain('cut off');
    });

    it('says what the process said when a file goes bad after the start', async function () {
      this.timeout(30_000);
      const late = join(models.folder, 'late.gguf');
      await copyFile(models.path('tiny'), late);
      corral = await startCorral(runtime, { models: { late: { path: late }, ...models.config(['other']) } });
      await truncate(late, 150_000);

      const bad = await corral.post('/v1/chat/completions', chat('late'));
      const good = await corral.post('/v1/chat/completions', chat('other'));

      expect(bad.status).to.equal(500);
      expect(error(bad)['code']).to.equal('model_file_invalid');
      expect(error(bad)['message']).to.match(/late could not be loaded: .* It said: .*(corrupt|load model)/i);
      expect(good.status).to.equal(200);
      await until('nothing is left of it', () => runnerOf('late') === undefined);
    });

    it('loads again when a loading process is killed and asked again', async function () {
      this.timeout(30_000);
      corral = await startCorral(runtime, { models: models.config(['a']) });
      const first = corral.post('/v1/chat/completions', chat('a'));
      await until('it loads', () => pidOf('a') > 0);

      process.kill(pidOf('a'), 'SIGKILL');
      const killed = await first;
      const second = await corral.post('/v1/chat/completions', chat('a'));

      expect([500, 502]).to.include(killed.status);
      expect(error(killed)['message']).to.match(/a ended while loading: killed by signal 9/);
      expect(second.status).to.equal(200);
    });

    it('ends a stream with an error event when its process is killed, and serves the next', async function () {
      this.timeout(30_000);
      corral = await startCorral(runtime, {
        models: models.config(['endless'], { endless: { context: 100_000 } }),
      });
      const stream = await startStream('endless');

      process.kill(pidOf('endless'), 'SIGKILL');
      await stream.over;

      expect(stream.text()).to.match(/data: \{"error":\{.*crashed.*\}\}\s*$/);
      expect(stream.text()).to.not.contain('[DONE]');
      const next = await startStream('endless');
      expect(next.statusCode).to.equal(200);
      expect(corral.leases.counts.held).to.equal(1);
    });

    it('ends a stream with an error event when its process is killed while it drains', async function () {
      this.timeout(30_000);
      corral = await startCorral(runtime, {
        models: models.config(['endless'], { endless: { context: 100_000 } }),
      });
      const stream = await startStream('endless');
      corral.scheduler.send({ type: 'model.unload', model: 'endless', drainMs: 60_000 });
      await until('it drains', () => runnerOf('endless')?.state === 'expiring');

      process.kill(pidOf('endless'), 'SIGKILL');
      await stream.over;

      expect(stream.text()).to.match(/crashed/);
      await until('it is gone', () => runnerOf('endless') === undefined, 1_000);
      expect(corral.leases.counts).to.deep.equal({ waiting: 0, held: 0 });
    });

    it('is content when a process that it unloads is killed by somebody else', async function () {
      this.timeout(30_000);
      corral = await startCorral(runtime, { models: models.config(['tiny']) });
      await corral.post('/v1/chat/completions', chat('tiny'));
      const pid = pidOf('tiny');
      // Stopped, it cannot follow SIGTERM: the unloading lasts until the kill.
      process.kill(pid, 'SIGSTOP');
      corral.scheduler.send({ type: 'model.unload', model: 'tiny', drainMs: 1_000 });
      await until('it unloads', () => runnerOf('tiny')?.state === 'unloading');

      process.kill(pid, 'SIGKILL');

      await until('it is gone', () => runnerOf('tiny') === undefined, 2_000);
      expect([...corral.traces.values()][0]?.slice(-2)).to.deep.equal(['vram-recovering', 'gone']);
      expect((await corral.post('/v1/chat/completions', chat('tiny'))).status).to.equal(200);
    });

    it('notices at once that an idle process was killed, and loads it anew', async function () {
      this.timeout(30_000);
      corral = await startCorral(runtime, { models: models.config(['tiny']) });
      await corral.post('/v1/chat/completions', chat('tiny'));

      process.kill(pidOf('tiny'), 'SIGKILL');
      await until('it is gone', () => runnerOf('tiny') === undefined, 1_000);
      const next = await corral.post('/v1/chat/completions', chat('tiny'));

      expect(next.status).to.equal(200);
    });

    it('ends a process that stopped answering, and says so to its client', async function () {
      this.timeout(30_000);
      corral = await startCorral(
        runtime,
        { models: models.config(['endless', 'tiny'], { endless: { context: 100_000 } }) },
        { health: fastHealth },
      );
      const stream = await startStream('endless');
      const pid = pidOf('endless');

      process.kill(pid, 'SIGSTOP');
      await stream.over;

      expect(stream.text()).to.match(/stopped answering/);
      expect((await corral.post('/v1/chat/completions', chat('tiny'))).status).to.equal(200);
      await until('the process is gone', () => !isRunning(pid), 15_000);
    });
  });
