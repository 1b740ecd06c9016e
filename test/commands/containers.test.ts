import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { isRunning, until } from '../support/corral.ts';
import { StartedCorral } from '../support/started-corral.ts';

const docker = fileURLToPath(new URL('../fixtures/fake-docker.mjs', import.meta.url));
const program = fileURLToPath(new URL('../fixtures/any-server.mjs', import.meta.url));

/** With a stand-in for docker: no daemon runs where these tests do. What it starts is out of reach of signals, as a container is. */
describe('a model in a container (a stand-in for docker)', function () {
  this.timeout(60_000);
  let folder: string;
  let corral: StartedCorral;
  let pid = 0;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'corral-'));
    pid = 0;
  });
  afterEach(async () => {
    corral.process.kill('SIGKILL');
    await corral.exit;
    if (pid > 0 && isRunning(pid)) process.kill(pid, 'SIGKILL');
    await rm(folder, { recursive: true, force: true });
  });

  const start = (over: object = {}): Promise<StartedCorral> =>
    StartedCorral.with(folder, {
      dataFolder: join(folder, 'data'),
      llamaServer: '/nowhere/llama-server',
      models: {
        boxed: {
          command: [docker, 'run', '--name', '{name}', folder, process.execPath, program, '--port', '{port}'],
          stop: [docker, 'stop', '{name}', folder],
          listener: 'any',
          ready: { path: '/well', status: 204 },
          memory: '64MiB',
          placement: 'cpu-only',
          ...over,
        },
      },
    });
  const load = async (): Promise<void> => {
    const { status, text } = await corral.chat('boxed');
    expect(status, text).to.equal(200);
    pid = Number(readFileSync(join(folder, 'boxed'), 'utf8'));
    expect(isRunning(pid)).to.equal(true);
  };

  it('is stopped by its own command when it is unloaded', async () => {
    corral = await start();
    await load();

    await fetch(`${corral.url}/api/v1/models/boxed/unload`, { method: 'POST' });

    await until('it has gone', () => !isRunning(pid));
    await until('its runner as well', async () => (await corral.status()).runners.length === 0);
  });

  it('is stopped when Corral ends, and when what started it is killed', async () => {
    corral = await start();
    await load();
    const [runner] = (await corral.status()).runners;
    process.kill(runner?.pid ?? 0, 'SIGKILL');
    await until('it has gone with its client', () => !isRunning(pid));

    await load();
    corral.process.kill('SIGTERM');
    await corral.exit;
    expect(isRunning(pid)).to.equal(false);
  });

  it('is stopped at the next start when Corral was killed', async () => {
    corral = await start();
    await load();
    corral.process.kill('SIGKILL');
    await corral.exit;
    expect(isRunning(pid)).to.equal(true);

    corral = await start();

    expect(isRunning(pid)).to.equal(false);
    expect(existsSync(join(folder, 'boxed'))).to.equal(false);
    await until('it is told', () => corral.output.includes('was run to stop'));
  });

  it('is refused when nothing says that its port may belong to somebody else', async () => {
    corral = await start({ listener: 'own', limits: { load: '3s' } });

    const { status } = await corral.chat('boxed');

    expect(status).to.equal(504);
    await until('it was stopped', () => !existsSync(join(folder, 'boxed')));
  });
});
