import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import * as pty from 'node-pty';
import { isRunning, until } from '../support/corral.ts';
import { groundFor, type Ground } from './support/serving.ts';

/** Far above what ending takes, and far below for ever. */
const ENDS_WITHIN_MS = 20_000;

const isEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

async function endedBy(child: ChildProcess): Promise<number | null> {
  child.kill('SIGTERM');
  await until('it has ended', () => isEnded(child), ENDS_WITHIN_MS);
  return child.exitCode;
}

const askMany = async (ground: Ground, count: number): Promise<Set<number>> => {
  const statuses = new Set<number>();
  for (let sum = 0; sum < count; sum += 50)
    for (const status of await Promise.all(Array.from({ length: 50 }, () => ground.ask())))
      statuses.add(status);
  return statuses;
};

describe('a log reader who stalls', function () {
  this.timeout(120_000);
  let ground: Ground;
  let child: ChildProcess | undefined;
  let terminal: pty.IPty | undefined;
  beforeEach(async () => (ground = await groundFor({ logLevel: 'debug' })));
  afterEach(async () => {
    child?.kill('SIGKILL');
    terminal?.kill('SIGKILL');
    child = terminal = undefined;
    await ground.remove();
  });
  const serve = (stdio: ('ignore' | 'pipe' | number)[], env: Record<string, string> = {}): ChildProcess =>
    spawn(ground.command.file, ground.command.args, { stdio, env: { ...ground.env, ...env } });

  for (const logFormat of ['json', 'pretty'])
    it(`at a full pipe (${logFormat}): it serves on, ends in time, and tells once the reader takes again`, async () => {
      const path = join(ground.folder, 'pipe');
      execFileSync('mkfifo', [path]);
      const reader = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
      const filled = fill(reader);
      const writer = openSync(path, 'w');
      child = serve(['ignore', 'ignore', writer], { CORRAL_LOG_FORMAT: logFormat });
      closeSync(writer);
      await ground.served();

      expect([...(await askMany(ground, 100))]).to.deep.equal([200]);
      takeAll(reader, filled);
      let text = '';
      await until('the log comes', () => (text += takeAll(reader)).includes('request.ended'));
      expect(text).to.include('decision.load');

      fill(reader);
      expect(await endedBy(child)).to.equal(0);
      closeSync(reader);
    });

  it('at a paused terminal: it serves on, and ends in time', async () => {
    terminal = pty.spawn(ground.command.file, ground.command.args, { env: ground.env, cols: 400 });
    let text = '';
    terminal.onData((data) => (text += data));
    await ground.served();
    await until('it is told', () => text.includes('Ctrl-C'), 60_000);
    terminal.pause();

    expect([...(await askMany(ground, 500))]).to.deep.equal([200]);
    process.kill(terminal.pid, 'SIGTERM');
    const { pid } = terminal;
    await until('it has ended', () => !isRunning(pid), ENDS_WITHIN_MS);
  });

  it('for good: what is kept for it is bounded, and what is left out is counted', async () => {
    const path = join(ground.folder, 'pipe');
    execFileSync('mkfifo', [path]);
    const reader = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    const writer = openSync(path, 'w');
    const program = new URL('../fixtures/log-much.ts', import.meta.url).pathname;
    child = spawn(process.execPath, ['--expose-gc', '--import', 'tsx', program], {
      stdio: ['pipe', 'pipe', writer],
    });
    closeSync(writer);
    const [told] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
    expect(Number(told.toString())).to.be.below(24);

    let text = '';
    const take = (): string => (text += takeAll(reader));
    await until('it is counted', () => take().includes('log.dropped'));
    child.stdin?.end();
    await until('it has ended', () => take() !== '' && isEnded(child as ChildProcess), ENDS_WITHIN_MS);
    take();
    closeSync(reader);

    const lines = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { event?: string; lines?: number });
    const dropped = lines.filter(({ event }) => event === 'log.dropped');
    expect(dropped).to.have.length(1);
    expect(lines.length - 1 + (dropped[0]?.lines ?? 0)).to.equal(64 * 1_024 + 1);
  });
});

describe('a log that nobody can be told', function () {
  this.timeout(120_000);
  let ground: Ground;
  let child: ChildProcess | undefined;
  beforeEach(async () => (ground = await groundFor({ logLevel: 'debug' })));
  afterEach(async () => {
    child?.kill('SIGKILL');
    await ground.remove();
  });

  for (const logFormat of ['json', 'pretty'])
    it(`on a disk that is full (${logFormat}): it serves on, and ends in time`, async () => {
      const full = openSync('/dev/full', 'w');
      child = spawn(ground.command.file, ground.command.args, {
        stdio: ['ignore', full, full],
        env: { ...ground.env, CORRAL_LOG_FORMAT: logFormat },
      });
      closeSync(full);
      await ground.served();

      expect([...(await askMany(ground, 200))]).to.deep.equal([200]);
      expect(await endedBy(child)).to.equal(0);
    });

  it('since both outputs were closed: it serves on, and ends in time', async () => {
    child = spawn(ground.command.file, ground.command.args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: ground.env,
    });
    child.stdout?.destroy();
    child.stderr?.destroy();
    await ground.served();

    expect([...(await askMany(ground, 200))]).to.deep.equal([200]);
    expect(await endedBy(child)).to.equal(0);
  });
});

/** Fills a pipe to its brim; how much that took. */
function fill(pipe: number): number {
  let bytes = 0;
  for (const size of [4_096, 1])
    try {
      for (;;) bytes += writeSync(pipe, Buffer.alloc(size, '\n'));
    } catch {
      // It is full.
    }
  return bytes;
}

/** Takes what is in a pipe, up to `most` bytes. */
function takeAll(pipe: number, most = Infinity): string {
  let text = '';
  const bytes = Buffer.alloc(4_096);
  try {
    while (text.length < most) text += bytes.toString('latin1', 0, readSync(pipe, bytes));
  } catch {
    // It is empty.
  }
  return text;
}
