import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { RunnerLogs } from '../../actors/process/runner-logs.ts';
import { lastLines } from '../../src/cli/last-lines.ts';
import { RunnerLogFiles } from '../../src/runner-log-files.ts';
import { runnerLogName } from '../../src/runner-log-name.ts';
import { watchDisk } from '../support/disk.ts';
import { until } from '../support/corral.ts';
import { aGpu, aModel, Pool } from '../support/pool.ts';

const BOUNDS = { write: true, size: 2_000, keep: 2, total: 1e6 };

describe('files of what runners print', () => {
  let folder: string;
  let pool: Pool;
  let logs: RunnerLogs;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'corral-runner-logs-'));
    pool = new Pool({ devices: [aGpu('CUDA0', 80)] });
    logs = new RunnerLogs();
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const follow = (over: Partial<typeof BOUNDS> = {}): RunnerLogFiles => {
    const files = new RunnerLogFiles(folder, { ...BOUNDS, ...over }, watchDisk().trouble);
    files.follow(pool.scheduler, logs);
    return files;
  };
  const load = (model: string): void => {
    pool.request(aModel(model, 8), { runMs: 10, keepAlive: 1_000 });
    pool.advance(500);
  };

  it('are one per model, whichever of its runners prints', async () => {
    const files = follow();
    load('a');
    logs.append('runner-1', 'hello\nthere\n');
    pool.advance(10_000);
    load('a');
    logs.append('runner-2', 'again\n');
    await files.close();

    const lines = (await readFile(join(folder, 'a.log'), 'utf8')).trim().split('\n');
    expect(await readdir(folder)).to.deep.equal(['a.log']);
    expect(lines.map((line) => line.replace(/^\S+ /, ''))).to.deep.equal([
      'runner-1 hello',
      'runner-1 there',
      'runner-2 again',
    ]);
    expect((await stat(join(folder, 'a.log'))).mode & 0o777).to.equal(0o600);
    expect(lastLines(join(folder, 'a.log'), 1)[0]).to.match(/runner-2 again$/);
  });

  it('are begun anew at their size, and no more are kept than was asked for', async () => {
    const files = follow();
    load('a');
    for (let i = 0; i < 40; i++) {
      logs.append('runner-1', `${'x'.repeat(500)} ${i}\n`);
      await until('it is written', async () =>
        (
          await Promise.all(
            (await readdir(folder)).map((name) => readFile(join(folder, name), 'utf8').catch(() => '')),
          )
        )
          .join('')
          .includes(` ${i}\n`),
      );
    }
    await files.close();

    expect((await readdir(folder)).toSorted()).to.deep.equal(['a.1.log', 'a.2.log', 'a.log']);
    expect((await stat(join(folder, 'a.1.log'))).size).to.be.lessThan(4_000);
  });

  it('are bounded all together: the oldest go', async () => {
    for (const model of ['a', 'b', 'c']) {
      const files = follow({ total: 1_200 });
      load(model);
      logs.append(`runner-${['a', 'b', 'c'].indexOf(model) + 1}`, `${'y'.repeat(500)}\n`);
      pool.advance(10_000);
      await files.close();
    }
    const files = follow({ total: 1_200 });
    load('d');
    await files.close();

    expect(await readdir(folder)).to.not.include('a.log');
    expect(await readdir(folder)).to.include.members(['b.log', 'c.log']);
  });

  it('stay beyond the bound while their model is loaded', async () => {
    const files = follow({ total: 600 });
    pool.request(aModel('loaded', 8), { runMs: 10, keepAlive: 1_000_000 });
    pool.advance(500);
    const written = (model: string): Promise<void> =>
      until(
        'it is written',
        async () => ((await stat(join(folder, `${model}.log`)).catch(() => null))?.size ?? 0) > 0,
      );
    logs.append('runner-1', `${'y'.repeat(500)}\n`);
    await written('loaded');
    for (const model of ['b', 'c']) {
      load(model);
      logs.append(`runner-${model === 'b' ? 2 : 3}`, `${'z'.repeat(500)}\n`);
      await written(model);
      pool.advance(10_000);
    }
    load('d');
    await files.close();

    expect(await readdir(folder)).to.deep.equal(['loaded.log']);
  });

  it('are not written when that is not wanted', async () => {
    const files = follow({ write: false });
    load('a');
    logs.append('runner-1', 'hello\n');
    await files.close();

    expect(await readdir(folder)).to.deep.equal([]);
  });

  it('have names that any file system takes, and that tell models apart', () => {
    expect(runnerLogName('hf:user/repo')).to.equal('hf%3Auser%2Frepo');
    expect(runnerLogName('../up')).to.equal('%2E.%2Fup');
    expect(runnerLogName('x'.repeat(300))).to.have.length.below(200);
    expect(runnerLogName(`${'x'.repeat(300)}1`)).to.not.equal(runnerLogName(`${'x'.repeat(300)}2`));
  });
});
