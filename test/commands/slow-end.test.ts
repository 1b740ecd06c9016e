import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { request } from 'undici';
import { isRunning, startCorral, until, type Corral } from '../support/corral.ts';

const program = fileURLToPath(new URL('../fixtures/slow-end.mjs', import.meta.url));

describe('a process that takes its time to end', function () {
  this.timeout(30_000);
  let corral: Corral;
  let folder: string;
  let note: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'corral-slow-end-'));
    note = join(folder, 'note');
  });
  afterEach(async () => {
    await corral.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** Loads a model whose process ends so, and has it unloaded; resolves to its pid. */
  async function unload(endsIn: string, grace: string): Promise<number> {
    const command = [process.execPath, program, '--port', '{port}', '--ends-in', endsIn, '--note', note];
    const ready = { path: '/', status: 200 };
    const slow = { command, ready, memory: '64MiB', placement: 'cpu-only', limits: { terminate: grace } };
    corral = await startCorral('embedded', { models: { slow } });
    await corral.post('/v1/chat/completions', { model: 'slow', messages: [{ role: 'user', content: 'hi' }] });
    const pid = corral.status().runners[0]?.pid ?? 0;
    expect(isRunning(pid)).to.equal(true);
    await corral.post('/api/v1/models/slow/unload', {});
    return pid;
  }
  const explained = async (): Promise<string> => {
    const { body } = await request(`${corral.url}/api/v1/explain/slow`);
    return ((await body.json()) as { next: string }).next;
  };
  const hasGone = (): boolean => corral.status().runners.length === 0;

  it('ends by itself within the grace, and explain says how long that is', async () => {
    const pid = await unload('500', '20s');

    await until('it is asked to end', () => corral.status().runners[0]?.state === 'unloading');
    expect(await explained()).to.contain('killed 20 s after it was asked to (limits.terminate)');
    await until('it has gone', hasGone);
    expect(existsSync(note)).to.equal(true);
    expect(isRunning(pid)).to.equal(false);
  });

  it('is killed after the grace when it does not end', async () => {
    const pid = await unload('never', '300ms');

    await until('it has gone', hasGone);

    expect(existsSync(note)).to.equal(false);
    expect(isRunning(pid)).to.equal(false);
  });
});
