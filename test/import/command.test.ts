import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { generateGguf } from '../../src/models/generate-gguf.ts';

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

describe('corral import llama-swap', function () {
  this.timeout(60_000);
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'corral-import-'));
    await generateGguf(join(folder, 'tiny.gguf'));
    await writeFile(
      join(folder, 'config.yaml'),
      'models: { tiny: { cmd: llama-server -m tiny.gguf -c 512 } }',
    );
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const corral = (...args: string[]): Promise<{ code: number; out: string; err: string }> =>
    new Promise((resolve) => {
      const env = { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
      execFile(process.execPath, ['--import', tsx, main, ...args], { cwd: folder, env }, (error, out, err) =>
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err }),
      );
    });

  it('writes a file that corral check is content with, and overwrites none unless forced', async () => {
    const target = join(folder, 'corral.yaml');
    const first = await corral('import', 'llama-swap', 'config.yaml', '-o', 'corral.yaml');
    const check = await corral('check');
    await writeFile(target, '# mine');
    const second = await corral('import', 'llama-swap', 'config.yaml', '-o', 'corral.yaml');
    const kept = await readFile(target, 'utf8');
    const forced = await corral('import', 'llama-swap', 'config.yaml', '-o', 'corral.yaml', '--force');

    expect(first).to.include({ code: 0, out: '' });
    expect(first.err).to.match(
      /note: tiny: no -np is given.*\n(.*\n)*1 of 1 models carried over\nwrote corral.yaml/,
    );
    expect(check.out).to.match(/all is well/);
    expect(check.code).to.equal(0);
    expect(second.code).to.equal(1);
    expect(second.err).to.match(/corral.yaml is there already; --force overwrites it/);
    expect(kept).to.equal('# mine');
    expect(forced.code).to.equal(0);
    expect(await readFile(target, 'utf8')).to.contain('tiny:');
  });

  it('says what is wrong with a file', async () => {
    await writeFile(join(folder, 'config.yaml'), 'models: [');

    const { code, err } = await corral('import', 'llama-swap', 'config.yaml');

    expect(code).to.equal(1);
    expect(err).to.match(/config.yaml is no llama-swap configuration that can be read/);
  });
});
