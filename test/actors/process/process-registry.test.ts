import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { endOrphans } from '../../../actors/process/end-orphans.ts';
import { startTimeOf } from '../../../actors/process/process-identity.ts';
import { ProcessRegistry } from '../../../actors/process/process-registry.ts';
import { RunnerMark } from '../../../actors/process/runner-mark.ts';
import { watchDisk } from '../../support/disk.ts';

describe('process registry', () => {
  let folder: string;
  let child: ChildProcess;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'corral-registry-'));
    child = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' });
    await once(child, 'spawn');
  });
  afterEach(async () => {
    child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  });

  const leaveBehind = (
    owner: { ownerPid: number; ownerStartTime: string | null },
    startTime: string | null,
  ) =>
    writeFile(
      join(folder, `${owner.ownerPid}.json`),
      JSON.stringify({
        ...owner,
        processes: [{ runnerId: 'runner-1', pid: child.pid, command: 'sleep', startTime }],
      }),
    );
  const dead = { ownerPid: 4_000_000, ownerStartTime: '1' };

  it('I36, I66: ends what a Corral that is no more has left behind', async () => {
    await leaveBehind(dead, startTimeOf(child.pid ?? 0));
    const ended = once(child, 'exit');

    const swept = await endOrphans(folder, new RunnerMark(folder), watchDisk().onNote);

    expect(swept).to.deep.equal([{ pid: child.pid, runnerId: 'runner-1', hasEnded: true }]);
    expect((await ended)[1]).to.equal('SIGTERM');
    expect(await readdir(folder)).to.deep.equal([]);
  });

  it('spares a process that only has the pid of an old one', async () => {
    await leaveBehind(dead, '12345');

    expect(await endOrphans(folder, new RunnerMark(folder), watchDisk().onNote)).to.deep.equal([]);
    expect(child.exitCode).to.equal(null);
  });

  it('spares the runners of a Corral that still runs', async () => {
    await leaveBehind(
      { ownerPid: process.pid, ownerStartTime: startTimeOf(process.pid) },
      startTimeOf(child.pid ?? 0),
    );

    expect(await endOrphans(folder, new RunnerMark(folder), watchDisk().onNote)).to.deep.equal([]);
  });

  it('passes over a record that is cut off', async () => {
    await writeFile(join(folder, '4000000.json'), '{"ownerPid": 40');

    expect(await endOrphans(folder, new RunnerMark(folder), watchDisk().onNote)).to.deep.equal([]);
  });

  it('ends all of its own at once', async () => {
    const registry = new ProcessRegistry(folder, { mark: new RunnerMark(folder), ...watchDisk() });
    registry.add({ runnerId: 'runner-1', pid: child.pid ?? 0, command: 'sleep' });
    const ended = once(child, 'exit');

    registry.killAll();

    expect((await ended)[1]).to.equal('SIGKILL');
  });
});
