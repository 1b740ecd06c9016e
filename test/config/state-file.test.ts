import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { readLearned, StateFile } from '../../src/config/state-file.ts';
import { watchDisk } from '../support/disk.ts';

describe('learned values', () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'corral-state-'));
    path = join(folder, 'learned.json');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('survive a restart', async () => {
    const state = new StateFile(path, watchDisk());
    state.learn('qwen#1', { needBytes: 100, loadMs: 2_000 });
    await state.flush(5_000);

    expect(new StateFile(path, watchDisk()).of('qwen#1')).to.deep.equal({ needBytes: 100, loadMs: 2_000 });
  });

  it('take the newest need and average load times', () => {
    const state = new StateFile(path, watchDisk());
    state.learn('a', { needBytes: 100, loadMs: 1_000 });
    state.learn('a', { needBytes: null, loadMs: 2_000 });
    state.learn('a', { needBytes: 90, loadMs: null });

    expect(state.of('a')).to.deep.equal({ needBytes: 90, loadMs: 1_300 });
  });

  it('are put aside, not lost, when their file is damaged', async () => {
    await writeFile(path, '{"version": 1, "classes"');
    const disk = watchDisk();

    const state = new StateFile(path, disk);

    expect(state.of('a')).to.equal(undefined);
    expect(disk.notes).to.have.length(1);
    expect((await readdir(folder)).join()).to.match(/^learned\.json\.unreadable-[\dT.Z]+$/);
  });

  for (const { title, make } of [
    { title: 'a folder', make: () => mkdir(path) },
    { title: 'a named pipe', make: () => execFileSync('mkfifo', [path]) },
    {
      title: 'huge',
      make: async () => {
        await writeFile(path, '');
        await truncate(path, 2 ** 34);
      },
    },
    {
      title: 'full of numbers that cannot be',
      make: () => writeFile(path, '{"version":1,"classes":{"a":{"needBytes":-5,"loadMs":1e300}}}'),
    },
    { title: 'null', make: () => writeFile(path, 'null') },
  ])
    it(`are put aside when their file is ${title}`, async () => {
      await make();
      const disk = watchDisk();

      expect(new StateFile(path, disk).of('a')).to.equal(undefined);
      expect(disk.notes.join()).to.contain('put aside as');
      expect((await readdir(folder)).join()).to.match(/^learned\.json\.unreadable-[\dT.Z]+$/);
    });

  it('are left where they are by who only looks', async () => {
    await writeFile(path, '{"version": 1, "classes"');

    expect(readLearned(path).of('a')).to.equal(undefined);
    expect(await readdir(folder)).to.deep.equal(['learned.json']);
  });
});
