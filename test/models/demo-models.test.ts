import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { writeDemoModels } from '../../src/models/demo-models.ts';
import { readModelFile } from '../../src/models/read-model-file.ts';

describe('the demonstration models', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'corral-demo-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('are written once, whole, and told of one by one', async function () {
    this.timeout(30_000);
    const first: string[] = [];
    const again: string[] = [];
    const models = await writeDemoModels(folder, (name) => first.push(name));
    const written = await Promise.all(models.map(async ({ path }) => (await stat(path)).mtimeMs));
    const same = await writeDemoModels(folder, (name) => again.push(name));

    expect(first).to.deep.equal(['tiny-chat', 'medium-chat', 'large-chat', 'endless', 'tiny-embed']);
    expect(again).to.deep.equal([]);
    expect(same).to.deep.equal(models);
    expect(await Promise.all(models.map(async ({ path }) => (await stat(path)).mtimeMs))).to.deep.equal(
      written,
    );
    expect(await readdir(folder)).to.have.members(models.map(({ name }) => `${name}.gguf`));
    for (const { name, path } of models) expect((await readModelFile(path)).title).to.equal(name);
  });
});
