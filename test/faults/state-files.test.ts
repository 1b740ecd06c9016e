import { execFileSync } from 'node:child_process';
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { openDataFolder } from '../../actors/disk/data-folder.ts';
import { startCorral } from '../support/corral.ts';
import { hearLog } from '../support/heard.ts';

describe('a file of state of another shape', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'corral-state-'));
    await mkdir(join(folder, 'processes'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const startAndStop = async () => {
    const heard = hearLog();
    const corral = await startCorral('embedded', { dataFolder: folder }, { log: heard.log });
    await corral.close();
    return heard.of('state').map(({ msg }) => msg);
  };

  const process = { runnerId: 'runner-1', pid: 1, command: 'sh', startTime: '1' };
  const shapes: readonly { readonly title: string; readonly make: (path: string) => unknown }[] = [
    ...[
      '',
      'null',
      '[]',
      '{}',
      '"text"',
      '{"ownerPid":4000000}',
      '{"ownerPid":"4000000","ownerStartTime":"1","processes":[]}',
      '{"ownerPid":4000000,"ownerStartTime":"1","processes":{}}',
      '{"ownerPid":4000000,"ownerStartTime":"1","processes":[null]}',
      '{"__proto__":{"processes":[]}}',
      JSON.stringify({ ownerPid: 4_000_000, ownerStartTime: '1', processes: [{ ...process, pid: -1 }] }),
      JSON.stringify({ ownerPid: 4_000_000, ownerStartTime: '1', processes: [process] }),
      `{"ownerPid":4000000,"ownerStartTime":"1","processes":${'['.repeat(200_000)}`,
    ].map((text) => ({
      title: text === '' ? 'nothing at all' : text.slice(0, 90),
      make: (path: string) => writeFile(path, text),
    })),
    { title: 'bytes that are no text', make: (path) => writeFile(path, Buffer.alloc(5_000, 0xff)) },
    { title: 'a folder', make: (path) => mkdir(path) },
    { title: 'a named pipe', make: (path) => execFileSync('mkfifo', [path]) },
    { title: 'a link', make: (path) => symlink('/dev/zero', path) },
    {
      title: 'many gigabytes',
      make: async (path) => {
        await writeFile(path, '');
        await truncate(path, 2 ** 34);
      },
    },
  ];

  it('is put aside, told, and gone on without, whichever of the files it is and whatever is in it', async function () {
    this.timeout(120_000);
    for (const name of ['processes/4000000.json', 'learned.json'])
      for (const { title, make } of shapes) {
        await rm(join(folder, name), { force: true });
        await make(join(folder, name));

        const notes = await startAndStop();

        const what = `${name} with ${title}`;
        expect(notes, what).to.have.length(1);
        expect(notes[0], what).to.contain(`${name} cannot be used`);
        expect(notes[0], what).to.contain('put aside as');
        expect(await lstat(join(folder, name)).catch(() => null), what).to.satisfy(
          (left: Awaited<ReturnType<typeof stat>> | null) => left === null || left.isFile(),
        );
      }
  });

  it('is kept for whoever wants to look, but not more than five of them', async function () {
    this.timeout(60_000);
    for (let i = 0; i < 8; i++) {
      await writeFile(join(folder, 'processes', '4000000.json'), `[${i}]`);
      await startAndStop();
    }

    expect(
      (await readdir(join(folder, 'processes'))).filter((name) => name.includes('.unreadable-')),
    ).to.have.length(5);
  });
});

describe('a data folder that others could look into', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'corral-private-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const modeOf = async (path: string): Promise<string> => ((await lstat(path)).mode & 0o777).toString(8);
  const files = async (path: string): Promise<string[]> =>
    (await readdir(path, { recursive: true })).map((name) => join(path, name));

  it('is made so that nobody can, with all that comes into it', async function () {
    this.timeout(60_000);
    const data = join(folder, 'new', 'data');
    const corral = await startCorral('embedded', { dataFolder: data });
    await corral.close();

    expect(await modeOf(data)).to.equal('700');
    for (const path of await files(data))
      expect(await modeOf(path), path).to.equal((await lstat(path)).isDirectory() ? '700' : '600');
  });

  it('is closed to them when it was made by an earlier release', async () => {
    const data = join(folder, 'data');
    await mkdir(join(data, 'processes'), { recursive: true });
    await mkdir(join(data, 'logs'));
    for (const name of ['learned.json', 'logs/tiny.log']) await writeFile(join(data, name), '{}');
    for (const path of [data, ...(await files(data))]) await chmod(path, 0o777);

    openDataFolder(data, () => {});

    expect(await modeOf(data)).to.equal('700');
    expect(await modeOf(join(data, 'logs'))).to.equal('700');
    expect(await modeOf(join(data, 'learned.json'))).to.equal('600');
    expect(await modeOf(join(data, 'logs', 'tiny.log'))).to.equal('600');
  });

  it('is left as it is when there is more in it than Corral’s, and that is told', async () => {
    const data = join(folder, 'data');
    await mkdir(data);
    await writeFile(join(data, 'somebody.else'), '');
    await chmod(data, 0o777);
    const notes: string[] = [];

    openDataFolder(data, (note) => notes.push(note));

    expect(await modeOf(data)).to.equal('777');
    expect(notes.join()).to.contain('can be written to by others');
  });
});

describe('a link in the data folder', () => {
  it('is not followed: what it leads to stays as it is', async function () {
    this.timeout(60_000);
    const folder = await mkdtemp(join(tmpdir(), 'corral-links-'));
    const [data, elsewhere] = [join(folder, 'data'), join(folder, 'elsewhere')];
    await mkdir(data);
    await mkdir(elsewhere);
    await writeFile(join(elsewhere, 'file'), 'precious');
    for (const name of ['processes', 'logs']) await symlink(elsewhere, join(data, name));
    await symlink(join(elsewhere, 'file'), join(data, 'learned.json'));
    const heard = hearLog();
    try {
      const corral = await startCorral('embedded', { dataFolder: data }, { log: heard.log });
      await corral.close();

      expect(await readdir(elsewhere)).to.deep.equal(['file']);
      expect((await stat(join(elsewhere, 'file'))).size).to.equal('precious'.length);
      expect(heard.of('state').filter(({ msg }) => msg.includes('it is a link'))).to.have.length(3);
      expect((await lstat(join(data, 'learned.json'))).isFile()).to.equal(true);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
