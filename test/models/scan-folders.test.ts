import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { scanFolders } from '../../src/models/scan-folders.ts';

describe('a folder of models', () => {
  let folder: string;
  const write = async (...names: readonly string[]): Promise<void> => {
    for (const name of names) await writeFile(join(folder, name), '');
  };
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'corral-scan-'));
    await mkdir(join(folder, 'deep'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('gives its models in a stable order, those of folders below too', async () => {
    await write('z.gguf', 'b.gguf', 'deep/a.gguf', 'notes.txt');

    const { models } = await scanFolders([folder]);

    expect(models).to.deep.equal([
      { name: 'b', path: join(folder, 'b.gguf') },
      { name: 'a', path: join(folder, 'deep', 'a.gguf') },
      { name: 'z', path: join(folder, 'z.gguf') },
    ]);
  });

  it('counts a split model once and a projector not at all', async () => {
    await write('m-00001-of-00002.gguf', 'm-00002-of-00002.gguf', 'mmproj-m.gguf', 'm.mmproj-f16.gguf');

    const { models } = await scanFolders([folder]);

    expect(models.map(({ name }) => name)).to.deep.equal(['m']);
  });

  it('that cannot be read is a warning and hides no other', async () => {
    await write('a.gguf');

    const { models, warnings } = await scanFolders([join(folder, 'gone'), folder]);

    expect(models.map(({ name }) => name)).to.deep.equal(['a']);
    expect(warnings).to.have.length(1);
    expect(warnings[0]).to.contain(join(folder, 'gone'));
  });
});
