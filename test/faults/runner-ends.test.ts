import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { chat, isRunning, startCorral, until, type Corral } from '../support/corral.ts';
import { writeModels, type TestModels } from '../support/models.ts';

const wrongEnds = fileURLToPath(new URL('../fixtures/wrong-ends.mjs', import.meta.url));

describe('a runner that ends in a wrong way', () => {
  let models: TestModels;
  let corral: Corral;
  let mark: string;
  before(async () => {
    models = await writeModels(['tiny', 'other']);
    mark = join(models.folder, 'mark');
  });
  after(() => models.remove());
  afterEach(() => corral.close());

  const start = async (
    kind: string,
    config: object = {},
    over: Parameters<typeof startCorral>[2] = {},
  ): Promise<void> => {
    const all = models.config(['tiny', 'other'], { tiny: { args: ['--wrong', kind, '--mark', mark] } });
    corral = await startCorral('llama-server', { llamaServer: wrongEnds, models: all, ...config }, over);
  };
  const ask = async (model = 'tiny') => {
    const { status, body } = await corral.post('/v1/chat/completions', chat(model));
    const error = body['error'] as unknown as { code: string; message: string } | undefined;
    return { status, code: error?.code, message: error?.message ?? '' };
  };
  const pid = (): number => corral.status().runners.find(({ model }) => model === 'tiny')?.pid ?? 0;
  const unload = () => corral.scheduler.send({ type: 'model.unload', model: 'tiny', drainMs: 1 });
  const gone = () =>
    until('its runner is gone', () => corral.status().runners.every(({ model }) => model !== 'tiny'));

  for (const { kind, code, says } of [
    { kind: 'exits 0 while loading', code: 'load_failed', says: /ended while loading: .*exit code 0/ },
    { kind: 'is killed while loading', code: 'load_failed', says: /ended while loading: killed by signal 9/ },
    { kind: 'stops while loading', code: 'load_stalled', says: /no sign of life for 2 s/ },
  ])
    it(`${kind}: its client is told so, and other models are served`, async function () {
      this.timeout(40_000);
      await start(kind, { limits: { loadStall: '2s' } });

      const answer = await ask();

      expect(answer).to.include({ code });
      expect(answer.message).to.match(says);
      expect((await ask('other')).status).to.equal(200);
    });

  it('ends as soon as it is ready: its client is answered, and nothing of it stays', async function () {
    this.timeout(40_000);
    await start('ends as soon as it is ready');

    const answer = await ask();

    expect(answer.message).to.match(/tiny (crashed|ended while loading): its process ended with exit code 0/);
    await gone();
    expect(corral.leases.counts).to.deep.equal({ waiting: 0, held: 0 });
  });

  it('ignores every signal it can: it is killed', async function () {
    this.timeout(40_000);
    await start('ignores every signal it can');
    await ask();
    const was = pid();

    unload();

    await gone();
    expect(isRunning(was)).to.equal(false);
  });

  it('is stopped when it is to end: it is killed', async function () {
    this.timeout(40_000);
    await start('good');
    await ask();
    const was = pid();
    process.kill(was, 'SIGSTOP');

    unload();

    await gone();
    expect(isRunning(was)).to.equal(false);
  });

  for (const kind of ['starts a daemon', 'starts a daemon that keeps its terminal'])
    it(`${kind} in a session of its own: the daemon ends with it`, async function () {
      this.timeout(40_000);
      await start(kind);
      await ask();
      const daemon = Number(await readFile(mark, 'utf8'));
      expect(isRunning(daemon)).to.equal(true);

      unload();

      await gone();
      expect(isRunning(daemon)).to.equal(false);
    });

  it('goes into the background while loading: its client is told that it has ended, and nothing of it stays', async function () {
    this.timeout(40_000);
    await start('goes into the background while loading');

    const answer = await ask();
    const daemon = Number(await readFile(mark, 'utf8'));

    expect(answer).to.include({ code: 'load_failed' });
    await gone();
    expect(isRunning(daemon)).to.equal(false);
  });

  it('is stopped while it serves: it is given up, and its client is served by another', async function () {
    this.timeout(40_000);
    await start(
      'good',
      {},
      { health: { everyMs: 200, answerWithinMs: 1_000, failures: 2, stuckMs: 600_000 } },
    );
    await ask();
    const was = pid();

    process.kill(was, 'SIGSTOP');
    await until('it is gone', () => !isRunning(was));

    expect((await ask()).status).to.equal(200);
    expect(pid()).to.not.equal(was);
  });

  it('crashes and leaves a daemon: the daemon ends, and the next request is served', async function () {
    this.timeout(40_000);
    await start('starts a daemon');
    await ask();
    const daemon = Number(await readFile(mark, 'utf8'));

    process.kill(pid(), 'SIGKILL');

    await gone();
    expect(isRunning(daemon)).to.equal(false);
    expect((await ask()).status).to.equal(200);
  });

  for (const kind of ['closes its terminal', 'floods its terminal', 'prints without an end of line'])
    it(`${kind}: it serves on, and ends when it is to`, async function () {
      this.timeout(40_000);
      await start(kind);
      for (let i = 0; i < 3; i++) expect((await ask()).status).to.equal(200);
      const was = pid();

      unload();

      await gone();
      expect(isRunning(was)).to.equal(false);
    });
});
