import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { readInto } from '../../actors/disk/read-ahead.ts';

const MIB = 1024 ** 2;

describe('reading a file ahead', () => {
  let folder: string;
  let path: string;
  before(async () => {
    // Not the temporary folder, which may be in memory.
    folder = await mkdtemp(join(import.meta.dirname, 'read-ahead-'));
    path = join(folder, 'model.gguf');
    await writeFile(path, Buffer.alloc(20 * MIB));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const room = (bytes: number | null) => () => Promise.resolve(bytes);
  const goesOn = new AbortController().signal;

  it('reads all of it where there is room', async () => {
    expect(await readInto(path, room(1024 * MIB), goesOn)).to.equal(20 * MIB);
  });

  it('reads only as far as there is room, and nothing where that is not known', async () => {
    expect(await readInto(path, room(20 * MIB), goesOn)).to.equal(8 * MIB);
    expect(await readInto(path, room(0), goesOn)).to.equal(0);
    expect(await readInto(path, room(null), goesOn)).to.equal(0);
  });

  it('ends when it is stopped', async () => {
    expect(await readInto(path, room(1024 * MIB), AbortSignal.abort())).to.equal(0);
  });

  it('reads no folder, and tells of a file that is not there', async () => {
    const outcome = (of: string): Promise<unknown> =>
      readInto(of, room(1024 * MIB), goesOn).catch((error: NodeJS.ErrnoException) => error.code);

    expect(await outcome(tmpdir())).to.equal(0);
    expect(await outcome(join(folder, 'none'))).to.equal('ENOENT');
  });
});
