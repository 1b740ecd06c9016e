import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { chat, isRunning, startCorral, until, type Corral } from '../support/corral.ts';
import { writeModels, type TestModels } from '../support/models.ts';

const fake = fileURLToPath(new URL('../fixtures/fake-llama-server.mjs', import.meta.url));

describe('a llama-server of an odd kind', () => {
  let models: TestModels;
  let corral: Corral;
  before(async () => {
    models = await writeModels(['tiny', 'other']);
  });
  after(() => models.remove());
  afterEach(() => corral.close());

  const start = async (kind: string, config: object = {}, args: readonly string[] = []): Promise<void> => {
    corral = await startCorral('llama-server', {
      llamaServer: fake,
      models: models.config(['tiny', 'other'], { tiny: { args: ['--fake', kind, ...args] } }),
      ...config,
    });
  };
  const ask = async (model = 'tiny') => {
    const { status, body } = await corral.post('/v1/chat/completions', chat(model));
    const error = body['error'] as unknown as { code: string; message: string } | undefined;
    return { status, code: error?.code, message: error?.message ?? '' };
  };
  const pidOf = (model: string): number =>
    corral.status().runners.find((one) => one.model === model)?.pid ?? 0;

  it('that never becomes ready is given up, and the next model is served', async function () {
    this.timeout(30_000);
    await start('never-ready', { limits: { loadStall: '1s' } });

    const answer = await ask();

    expect(answer).to.include({ status: 504, code: 'load_stalled' });
    expect(answer.message).to.match(/tiny gave no sign of life for 1 s while loading/);
    expect((await ask('other')).status).to.equal(200);
  });

  it('that exits at once is quoted, without its colours', async function () {
    this.timeout(30_000);
    await start('exits-at-once');

    const answer = await ask();

    expect(answer).to.include({ status: 500, code: 'load_failed' });
    expect(answer.message).to.match(/exit code 3\. It said: E error: something about this model is wrong$/);
  });

  it('that runs out of memory while loading says so', async function () {
    this.timeout(30_000);
    await start('out-of-memory');

    expect(await ask()).to.include({ status: 507, code: 'load_out_of_memory' });
  });

  it('that dies of a request gets it once more, and then the client is told', async function () {
    this.timeout(30_000);
    await start('dies-on-request');

    const answer = await ask();

    expect(answer).to.include({ status: 507, code: 'out_of_memory' });
    expect([...corral.traces.values()]).to.have.length(2);
    expect(corral.leases.counts).to.deep.equal({ waiting: 0, held: 0 });
  });

  it('that finds its port taken gets another one', async function () {
    this.timeout(30_000);
    await start('port-taken-once', {}, ['--mark', join(models.folder, 'port-mark')]);

    expect((await ask()).status).to.equal(200);
    expect([...corral.traces.values()]).to.have.length(1);
  });

  it('that cannot be run is named', async function () {
    this.timeout(30_000);
    await start('good', { llamaServer: '/nowhere/llama-server' });

    const answer = await ask();

    expect(answer).to.include({ status: 500, code: 'spawn_failed' });
    expect(answer.message).to.match(/\/nowhere\/llama-server cannot be run/);
  });

  it('that ignores SIGTERM is killed', async function () {
    this.timeout(30_000);
    await start('deaf');
    await ask();
    const pid = pidOf('tiny');

    corral.scheduler.send({ type: 'model.unload', model: 'tiny', drainMs: 1 });

    await until('it is gone', () => !isRunning(pid), 10_000);
    await until('its runner is gone', () => corral.status().runners.length === 0);
  });

  it('takes its children with it', async function () {
    this.timeout(30_000);
    const mark = join(models.folder, 'child-mark');
    await start('with-child', {}, ['--mark', mark]);
    await ask();
    const childPid = Number(await readFile(mark, 'utf8'));
    expect(isRunning(childPid)).to.equal(true);

    process.kill(pidOf('tiny'), 'SIGKILL');

    await until('the child is gone', () => !isRunning(childPid), 5_000);
  });
});
