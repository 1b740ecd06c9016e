import {
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { isRunning, until } from '../support/corral.ts';
import { writeModels, type TestModels } from '../support/models.ts';
import { StartedCorral } from '../support/started-corral.ts';

const llamaServer = fileURLToPath(new URL('../fixtures/wrong-ends.mjs', import.meta.url));

describe('a Corral that is killed', function () {
  this.timeout(120_000);
  let models: TestModels;
  let corral: StartedCorral;
  /** What has to be gone in the end, whatever a test finds. */
  let pids: number[];
  beforeEach(async () => {
    models = await writeModels(['tiny', 'deaf', 'daemon']);
    pids = [];
  });
  afterEach(async () => {
    corral.process.kill('SIGKILL');
    for (const pid of pids) if (isRunning(pid)) process.kill(pid, 'SIGKILL');
    await models.remove();
  });

  const mark = (): string => join(models.folder, 'mark');
  const data = (): string => join(models.folder, 'data');
  const start = (): Promise<StartedCorral> =>
    StartedCorral.with(models.folder, {
      dataFolder: data(),
      llamaServer,
      models: models.config(['tiny', 'deaf', 'daemon'], {
        deaf: { args: ['--wrong', 'ignores every signal it can'] },
        daemon: { args: ['--wrong', 'starts a daemon', '--mark', mark()] },
      }),
    });
  const load = async (...names: string[]): Promise<void> => {
    for (const name of names) expect((await corral.chat(name)).status, corral.output).to.equal(200);
    pids.push(...(await corral.status()).runners.flatMap(({ pid }) => pid ?? []));
    if (names.includes('daemon')) pids.push(Number(readFileSync(mark(), 'utf8')));
  };
  const kill = async (): Promise<void> => {
    corral.process.kill('SIGKILL');
    await corral.exit;
  };

  for (const { how, spoil } of [
    { how: 'at the next start', spoil: () => {} },
    {
      how: 'at the next start also when no record could be written',
      spoil: (data: string) => writeFileSync(data, 'a file where the folder should be'),
    },
  ])
    it(`leaves nothing behind that ignores its going, or is in a session of its own: it is ended ${how}`, async function () {
      // What is in another session is found by /proc alone.
      if (process.platform !== 'linux') this.skip();
      spoil(data());
      corral = await start();
      await load('deaf', 'daemon');
      await kill();
      const [deaf = 0, , daemon = 0] = pids;
      expect([deaf, daemon].filter(isRunning)).to.deep.equal([deaf, daemon]);
      if (statSync(data()).isFile()) rmSync(data());

      corral = await start();

      expect(pids.filter(isRunning), corral.output).to.deep.equal([]);
      await until('it is told', () => corral.told('orphan.ended') > 1);
      expect((await corral.chat('tiny')).status).to.equal(200);
    });

  it('has its next one spare the runners of a Corral that runs beside it', async () => {
    corral = await start();
    await load('tiny', 'daemon');

    const beside = await start();
    try {
      expect(pids.filter(isRunning)).to.deep.equal(pids);
      expect(beside.told('orphan.ended')).to.equal(0);
    } finally {
      beside.process.kill('SIGTERM');
      await beside.exit;
    }
  });

  it('takes each runner along by its terminal, which no other runner has inherited', async function () {
    if (!existsSync('/proc/self/fd')) this.skip();
    corral = await start();
    await load('tiny', 'daemon');

    for (const pid of pids) {
      const open = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
      expect(
        open.filter((path) => path.includes('ptmx')),
        `of ${pid}`,
      ).to.deep.equal([]);
    }
    const [tiny = 0, daemons = 0] = pids;
    await kill();
    await until('both are gone', () => !isRunning(tiny) && !isRunning(daemons), 10_000);
  });
});
