import {
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  mkdirSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { followFile } from '../../src/files/follow-file.ts';
import { until } from '../support/corral.ts';

const EVERY_MS = 60;

describe('following a file', () => {
  let folder: string;
  let end: () => void;
  /** What was in the file whenever a change was told. */
  let told: string[];
  const at = (name: string): string => join(folder, name);
  const follow = (): void => {
    end = followFile(at('file'), () => told.push(read()), EVERY_MS);
  };
  const read = (): string => {
    try {
      return readFileSync(at('file'), 'utf8');
    } catch {
      return '(gone)';
    }
  };
  const isTold = (text: string): Promise<void> => until(`${text} is told`, () => told.at(-1) === text);
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'corral-follow-'));
    told = [];
    writeFileSync(at('file'), 'old');
  });
  afterEach(() => {
    end();
    rmSync(folder, { recursive: true, force: true });
  });

  it('tells of one that is written in place', async () => {
    follow();
    writeFileSync(at('file'), 'new');
    await isTold('new');
  });

  it('tells of another one in its place', async () => {
    follow();
    writeFileSync(at('draft'), 'new');
    renameSync(at('draft'), at('file'));
    await isTold('new');
  });

  it('tells of a link that leads elsewhere, and of what it leads to', async () => {
    for (const version of ['v1', 'v2']) {
      mkdirSync(at(version));
      writeFileSync(join(at(version), 'file'), version);
    }
    rmSync(at('file'));
    symlinkSync('v1', at('..data'));
    symlinkSync('..data/file', at('file'));
    follow();

    // As Kubernetes puts a ConfigMap in place.
    symlinkSync('v2', at('..new'));
    renameSync(at('..new'), at('..data'));
    await isTold('v2');
    writeFileSync(join(at('v2'), 'file'), 'edited');
    await isTold('edited');
  });

  it('tells of one that goes, and comes back', async () => {
    follow();
    renameSync(at('file'), at('aside'));
    await isTold('(gone)');
    renameSync(at('aside'), at('file'));
    await isTold('old');
  });

  it('waits for one that is being written', async () => {
    follow();
    for (let length = 0; length < 100; length++) {
      writeFileSync(at('file'), 'x'.repeat(length));
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS / 10));
    }
    const early = told.length;
    await isTold('x'.repeat(99));

    // A machine that stands still for a moment makes it look finished.
    expect(early).to.be.lessThan(5);
  });
});
