import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
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

  const namesIn = async (...folders: string[]): Promise<string[]> =>
    (await scanFolders(folders)).files.map(({ name }) => name);

  it('gives its files in a stable order, those of folders below too', async () => {
    await write('z.gguf', 'b.gguf', 'deep/a.gguf', 'notes.txt');

    const { files } = await scanFolders([folder]);

    expect(files).to.deep.equal([
      { name: 'b', path: join(folder, 'b.gguf'), root: folder },
      { name: 'a', path: join(folder, 'deep', 'a.gguf'), root: folder },
      { name: 'z', path: join(folder, 'z.gguf'), root: folder },
    ]);
  });

  it('counts a split model once, and one that is named a projector not at all', async () => {
    await write('m-00001-of-00002.gguf', 'm-00002-of-00002.gguf', 'mmproj-m.gguf', 'm.mmproj-f16.gguf');

    const { files, projectors } = await scanFolders([folder]);

    expect(files.map(({ name }) => name)).to.deep.equal(['m']);
    expect(projectors).to.have.length(2);
  });

  it('keeps a model that was split in two ways apart, and finds one whose first part is gone', async () => {
    await write('m-00001-of-00002.gguf', 'm-00002-of-00002.gguf', 'm-00001-of-00003.gguf');
    await write('gone-00002-of-00002.gguf');

    const { files } = await scanFolders([folder]);

    expect(files.map(({ path }) => basename(path))).to.deep.equal([
      'gone-00001-of-00002.gguf',
      'm-00001-of-00002.gguf',
      'm-00001-of-00003.gguf',
    ]);
  });

  it('follows links to files and folders, each folder once, and reads .GGUF', async () => {
    const elsewhere = await mkdtemp(join(tmpdir(), 'corral-scan-'));
    await write('real.gguf', 'deep/LOUD.GGUF');
    await writeFile(join(elsewhere, 'far.gguf'), '');
    await symlink(elsewhere, join(folder, 'a-link'));
    await symlink(folder, join(folder, 'deep', 'round'));
    await symlink(join(folder, 'deep'), join(folder, 'again'));
    await symlink(join(elsewhere, 'far.gguf'), join(folder, 'near.gguf'));

    const found = await namesIn(folder, join(folder, 'again'));
    await rm(elsewhere, { recursive: true });

    expect(found).to.deep.equal(['LOUD', 'near', 'real', 'far']);
  });

  it('tells of a model that is a link to nothing, and of no other such link', async () => {
    await symlink('nowhere.gguf', join(folder, 'm.gguf'));
    await symlink('nowhere', join(folder, 'notes'));

    const { files, warnings } = await scanFolders([folder]);

    expect(files).to.deep.equal([]);
    expect(warnings).to.deep.equal([`${join(folder, 'm.gguf')} is a link to nothing that is there`]);
  });

  it('that cannot be read is a warning and hides no other', async () => {
    await write('a.gguf');

    const { files, warnings } = await scanFolders([join(folder, 'gone'), folder]);

    expect(files.map(({ name }) => name)).to.deep.equal(['a']);
    expect(warnings).to.have.length(1);
    expect(warnings[0]).to.contain(join(folder, 'gone'));
  });
});
