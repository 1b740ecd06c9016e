import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Agent } from 'undici';
import { chooseFiles } from '../../src/pull/choose-files.ts';
import { retryAfterMs } from '../../src/pull/hub-error.ts';
import { hubOf } from '../../src/pull/hub.ts';
import { parseTree } from '../../src/pull/list-repo.ts';
import { parseReference } from '../../src/pull/parse-reference.ts';
import { progressText, progressView } from '../../src/pull/progress.ts';
import { Outlet } from '../../src/terminal/print.ts';
import { lockFile, PullLockError } from '../../src/pull/pull-lock.ts';

describe('what is to be pulled', () => {
  it('is written as a repository, and a quantisation if one is wanted', () => {
    expect(parseReference('hf:Qwen/Qwen3-8B-GGUF')).to.deep.equal({
      repo: 'Qwen/Qwen3-8B-GGUF',
      wanted: null,
    });
    expect(parseReference('hf:a/b:Q8_0')).to.deep.equal({ repo: 'a/b', wanted: 'Q8_0' });
  });

  for (const text of ['a/b', 'hf:a', 'hf:a/b/c', 'hf:../b', 'hf:a/..', 'hf:a/b:', 'hf:a/b?x=1', 'hf:a b/c'])
    it(`is not ${text}`, () => expect(() => parseReference(text)).to.throw(/write hf:user\/repo/));
});

describe("the choice among a repository's files", () => {
  const choose = (paths: readonly string[], wanted: string | null = null): string =>
    chooseFiles(paths, { repo: 'u/r', wanted }).model.paths[0];

  it('is Q4_K_M, else what is usual, else the only one', () => {
    expect(choose(['m-Q8_0.gguf', 'm-Q4_K_M.gguf', 'm-F16.gguf'])).to.equal('m-Q4_K_M.gguf');
    expect(choose(['m-Q8_0.gguf', 'm-F16.gguf'])).to.equal('m-Q8_0.gguf');
    expect(choose(['README.md', 'm-F16.gguf', 'mmproj.gguf'])).to.equal('m-F16.gguf');
  });

  it('is what was asked for, by quantisation or by name', () => {
    const paths = ['m-UD-Q4_K_XL.gguf', 'm-Q4_K_M.gguf', 'odd.gguf'];

    expect(choose(paths, 'q4_k_m')).to.equal('m-Q4_K_M.gguf');
    expect(choose(paths, 'Q4_K_XL')).to.equal('m-UD-Q4_K_XL.gguf');
    expect(choose(paths, 'odd')).to.equal('odd.gguf');
  });

  for (const { title, paths, wanted, says } of [
    {
      title: 'nothing has what was asked for',
      paths: ['m-Q4_0.gguf', 'odd.gguf'],
      wanted: 'Q8_0',
      says: 'u/r has no Q8_0. There are:\n  hf:u/r:Q4_0\n  hf:u/r:odd',
    },
    {
      title: 'several have it',
      paths: ['base-Q4_K_M.gguf', 'chat-Q4_K_M.gguf'],
      wanted: null,
      says: 'u/r has several models of Q4_K_M. There are:\n  hf:u/r:base-Q4_K_M\n  hf:u/r:chat-Q4_K_M',
    },
    {
      title: 'none is usual',
      paths: ['a.gguf', 'b.gguf'],
      wanted: null,
      says: 'u/r has several models, and none is the usual choice. There are:\n  hf:u/r:a\n  hf:u/r:b',
    },
    { title: 'there is none', paths: ['a.safetensors'], wanted: null, says: 'u/r has no GGUF model.' },
  ])
    it(`is left to the user when ${title}`, () => expect(() => choose(paths, wanted)).to.throw(says));
});

describe("the hub's list", () => {
  it('gives files with size and checksum, and none that leads elsewhere', () => {
    const oid = 'a'.repeat(64);
    const text = JSON.stringify([
      { type: 'file', path: 'sub/m.gguf', size: 130, lfs: { oid, size: 5_000_000_000, pointerSize: 130 } },
      { type: 'file', path: 'README.md', size: 3 },
      { type: 'directory', path: 'sub', size: 0 },
      ...['../x', '/etc/x', 'a/../../x', 'a\\x', 'C:x', 'a\u0000'].map((path) => ({
        type: 'file',
        path,
        size: 1,
      })),
    ]);

    expect(parseTree(text)).to.deep.equal([
      { path: 'sub/m.gguf', bytes: 5_000_000_000, sha256: oid },
      { path: 'README.md', bytes: 3, sha256: null },
    ]);
  });

  it('has no names that a terminal or a reader would take for something else', () => {
    const strange = ['\n', '\u001b[2J', '\u007f', '\u009b2J', '\u2028', '\u202e', '\u200b', '\0'];
    const text = JSON.stringify(
      [...strange, 'ü'].map((part) => ({ type: 'file', path: `m${part}.gguf`, size: 1 })),
    );

    expect(parseTree(text).map(({ path }) => path)).to.deep.equal(['mü.gguf']);
  });

  for (const text of ['', '{}', '[{"path":1}]'])
    it(`that is ${text || 'empty'} is refused`, () =>
      expect(() => parseTree(text)).to.throw(/not what was expected/));
});

describe('the hub', () => {
  it('is the one that the environment names', () => {
    const hub = hubOf({ HF_ENDPOINT: 'http://localhost:1/', HF_TOKEN: ' t\n' }, new Agent());

    expect(hub).to.include({ endpoint: 'http://localhost:1', token: 't' });
    expect(hubOf({}, new Agent())).to.include({ endpoint: 'https://huggingface.co', token: null });
    expect(() => hubOf({ HF_ENDPOINT: 'ftp://x' }, new Agent())).to.throw(/no http/);
  });

  it('may say when to come back in seconds, as a date, or not', () => {
    const nowMs = Date.parse('2026-01-01T00:00:00Z');

    expect(retryAfterMs('5', nowMs)).to.equal(5_000);
    expect(retryAfterMs('Thu, 01 Jan 2026 00:01:00 GMT', nowMs)).to.equal(60_000);
    expect(retryAfterMs('soon', nowMs)).to.equal(null);
    expect(retryAfterMs(undefined, nowMs)).to.equal(null);
  });
});

describe('the lock of a pull', () => {
  let target: string;
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'corral-lock-'));
    target = join(folder, 'm.gguf');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  const writeLock = (content: object | string): void =>
    writeFileSync(`${target}.lock`, typeof content === 'string' ? content : JSON.stringify(content));

  it('is one at a time, and gone when it is given back', () => {
    const release = lockFile(target);

    expect(() => lockFile(target)).to.throw(PullLockError);
    release();
    expect(existsSync(`${target}.lock`)).to.equal(false);
    lockFile(target)();
  });

  it('is not kept by a process that has ended', () => {
    const { pid } = spawnSync(process.execPath, ['--version']);
    writeLock({ pid, startTime: '1', host: hostname() });

    const release = lockFile(target);

    expect(JSON.parse(readFileSync(`${target}.lock`, 'utf8'))).to.include({ pid: process.pid });
    release();
  });

  it('is not kept by another process that has the same number', () => {
    writeLock({ pid: process.pid, startTime: 'long ago', host: hostname() });

    lockFile(target)();
  });

  it('is kept by a process of another machine', () => {
    writeLock({ pid: 1, startTime: '1', host: 'elsewhere' });

    expect(() => lockFile(target)).to.throw(PullLockError);
  });

  it('that was never written is kept for a moment only', () => {
    writeLock('');
    expect(() => lockFile(target)).to.throw(PullLockError);

    utimesSync(`${target}.lock`, 1, 1);
    lockFile(target)();
  });
});

describe('progress', () => {
  const played = (isTTY: boolean): string => {
    let text = '';
    let nowMs = 0;
    const outlet = new Outlet(() => ({ isTTY, columns: 60, write: (more: string) => (text += more) }));
    const view = progressView(outlet, () => nowMs);
    for (let doneBytes = 0; doneBytes <= 100; doneBytes += 5) {
      view.show({ file: 'm.gguf', doneBytes: doneBytes * 1024 ** 2, totalBytes: 100 * 1024 ** 2 });
      if (doneBytes === 50) view.say('half');
      nowMs += 500;
    }
    return text;
  };

  it('is a line for every tenth where nobody watches', () => {
    const lines = played(false).split('\n');

    expect(lines).to.have.length(12);
    expect(lines[0]).to.equal('10 %  10 MiB of 100 MiB  10 MiB/s  m.gguf');
    expect(lines[5]).to.equal('half');
    expect(played(false)).not.to.contain('\r');
  });

  it('is one line that is drawn anew on a terminal', () => {
    const text = played(true);

    expect(text).to.contain('\r\u001b[2K[############............] 50 %');
    expect(text).to.contain('\r\u001b[2Khalf\n');
    expect(text.endsWith('\n')).to.equal(true);
    for (const line of text.split(/\r|\n/)) expect(line.replace('\u001b[2K', '').length).to.be.below(60);
  });

  it('says how far, of how much, and how fast', () => {
    const progress = { file: 'm.gguf', doneBytes: 1024 ** 3, totalBytes: 4 * 1024 ** 3 };

    expect(progressText(progress, 85 * 1024 ** 2)).to.equal('25 %  1.0 GiB of 4.0 GiB  85 MiB/s  m.gguf');
    expect(progressText(progress, NaN)).to.equal('25 %  1.0 GiB of 4.0 GiB  m.gguf');
  });
});
