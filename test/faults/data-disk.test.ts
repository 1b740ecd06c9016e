import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { chat, isRunning, startCorral, until, type Corral } from '../support/corral.ts';
import { hearLog } from '../support/heard.ts';
import { writeModels, type TestModels } from '../support/models.ts';
import { StartedCorral } from '../support/started-corral.ts';

const llamaServer = fileURLToPath(new URL('../fixtures/wrong-ends.mjs', import.meta.url));

describe('a data folder that vanishes, and comes back', () => {
  let models: TestModels;
  let folder: string;
  let data: string;
  let corral: Corral;
  let heard: ReturnType<typeof hearLog>;
  beforeEach(async () => {
    models = await writeModels(['tiny']);
    folder = await mkdtemp(join(tmpdir(), 'corral-disk-'));
    data = join(folder, 'data');
    heard = hearLog();
    corral = await startCorral(
      'llama-server',
      { llamaServer, dataFolder: data, models: models.config(['tiny']) },
      { log: heard.log },
    );
    await rename(data, `${data}-away`);
    // So that it cannot just be made again.
    await writeFile(data, 'a file where the folder was');
  });
  afterEach(async () => {
    await corral.close();
    await models.remove();
    await rm(folder, { recursive: true, force: true });
  });

  const pid = (): number => corral.status().runners[0]?.pid ?? 0;
  const loadAndUnload = async (): Promise<void> => {
    expect((await corral.post('/v1/chat/completions', chat('tiny'))).status).to.equal(200);
    const was = pid();
    corral.scheduler.send({ type: 'model.unload', model: 'tiny', drainMs: 1 });
    await until('it is gone', () => corral.status().runners.length === 0);
    expect(isRunning(was)).to.equal(false);
  };

  it('hinders no model in loading, serving and being unloaded', async function () {
    this.timeout(60_000);
    for (let i = 0; i < 2; i++) await loadAndUnload();
  });

  it('is told once when it cannot be written, and once when it can', async function () {
    this.timeout(60_000);
    for (let i = 0; i < 2; i++) await loadAndUnload();
    await until('it is told', () => heard.of('disk.failed').length > 0);
    expect(heard.of('disk.works')).to.have.length(0);

    await rm(data);
    await rename(`${data}-away`, data);

    await until('it is told that it works', () => heard.of('disk.works').length > 0);
    expect(heard.of('disk.failed')).to.have.length(1);
    expect(heard.of('disk.works')).to.have.length(1);
  });

  it('has what was learned meanwhile once it is back', async function () {
    this.timeout(60_000);
    await loadAndUnload();

    await rm(data);
    await rename(`${data}-away`, data);

    await until('it is written', async () =>
      (await readFile(join(data, 'learned.json'), 'utf8').catch(() => '')).includes('loadMs'),
    );
    await until('so is what the runner printed', async () =>
      (await readFile(join(data, 'logs', 'tiny.log'), 'utf8').catch(() => '')).includes('listening on'),
    );
  });

  it('does not keep Corral from ending', async function () {
    this.timeout(60_000);
    await corral.post('/v1/chat/completions', chat('tiny'));
    const was = pid();

    await corral.stop(0);

    expect(isRunning(was)).to.equal(false);
  });
});

for (const { fault, limits, spoil } of [
  { fault: 'a data disk that is full', limits: 'ulimit -f 0', spoil: () => Promise.resolve() },
  {
    fault: 'a data folder that cannot be made',
    limits: 'true',
    spoil: (data: string) => writeFile(data, 'a file'),
  },
])
  describe(fault, () => {
    it('hinders no model in loading, serving and ending, is told once, and SIGTERM ends Corral', async function () {
      this.timeout(90_000);
      const models = await writeModels(['tiny', 'other']);
      const data = join(models.folder, 'data');
      await spoil(data);
      const corral = await StartedCorral.with(
        models.folder,
        {
          dataFolder: data,
          llamaServer,
          defaults: { keepAlive: '0s' },
          models: models.config(['tiny', 'other']),
        },
        limits,
      );
      try {
        for (const model of ['tiny', 'other', 'tiny'])
          expect((await corral.chat(model)).status, corral.output).to.equal(200);
        await until('all are gone', async () => (await corral.status()).runners.length === 0);

        corral.process.kill('SIGTERM');
        const [code] = await corral.exit;

        expect(code, corral.output).to.equal(0);
        expect(corral.told('disk.failed'), corral.output).to.equal(1);
      } finally {
        corral.process.kill('SIGKILL');
        await models.remove();
      }
    });
  });
