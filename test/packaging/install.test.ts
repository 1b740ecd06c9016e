import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { lstat, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { request } from 'undici';
import { until } from '../support/corral.ts';

const MB = 1_000_000;
const checkout = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

/** Bytes on disk of all that lies below a folder. */
async function diskBytes(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true });
  const sizes = await Promise.all(names.map(async (name) => (await lstat(join(folder, name))).blocks * 512));
  return sizes.reduce((sum, size) => sum + size, 0);
}

describe('the packed tarball, installed with npm install -g', function () {
  // npm asks the registry; with a warm cache this is a matter of seconds.
  this.timeout(300_000);
  let folder: string;
  let prefix: string;
  let env: NodeJS.ProcessEnv;
  let child: ChildProcess | null = null;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'corral-install-'));
    prefix = join(folder, 'prefix');
    // `npm pack` builds first, so that what is installed is what is here.
    const { stdout } = await run('npm', ['pack', '--silent', '--pack-destination', folder], {
      cwd: checkout,
    });
    const tarball = join(folder, stdout.trim().split('\n').at(-1) ?? '');
    const quiet = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel', 'error'];
    // Without scripts: nothing has to be compiled or fetched by them.
    await run('npm', ['install', '--global', '--prefix', prefix, '--ignore-scripts', ...quiet, tarball], {
      cwd: folder,
    });
    // No llama-server on this PATH, and nobody's configuration.
    const PATH = [join(prefix, 'bin'), dirname(process.execPath), '/usr/bin', '/bin'].join(':');
    env = { PATH, HOME: folder };
    await mkdir(join(folder, 'empty'));
  });
  after(async () => {
    if (child?.exitCode === null) {
      child.kill();
      await once(child, 'exit');
    }
    await rm(folder, { recursive: true, force: true });
  });

  it('takes at most 260 MB, and brings no engine for GPUs', async () => {
    const engines = join(prefix, 'lib/node_modules/corral/node_modules/@node-llama-cpp');

    expect((await diskBytes(prefix)) / MB).to.be.within(1, 260);
    expect((await readdir(engines)).filter((name) => /cuda|vulkan/.test(name))).to.deep.equal([]);
    expect((await readdir(engines)).filter((name) => name.includes(process.arch))).not.to.deep.equal([]);
  });

  it('puts corral on PATH, which serves the demonstration from an empty folder', async () => {
    const started = spawn('corral', ['serve', '--port', '0'], { cwd: join(folder, 'empty'), env });
    child = started;
    let out = '';
    started.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    started.stderr.on('data', (chunk: Buffer) => (out += chunk.toString()));
    await until('it serves, or has ended', () => out.includes('Ctrl-C') || started.exitCode !== null, 60_000);
    const url = /at (http:\S+)/.exec(out)?.[1];
    expect(url, out).to.be.a('string');

    const answer = await request(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'tiny-chat', messages: [{ role: 'user', content: 'Hello' }] }),
    });
    const page = await request(`${url}/`, { headers: { accept: 'text/html' } });

    expect(await answer.body.text()).to.contain('Hello from tiny-chat');
    expect(await page.body.text()).to.contain('<title>');
    expect(await readdir(join(folder, 'empty'))).to.deep.equal([]);
    expect(out).to.match(/or: corral ps$/m);
  });

  it('has the doors that the documentation names', async () => {
    const ask = `
      const doors = await Promise.all(['simulation', 'timeline', 'client'].map((door) => import('corral/' + door)));
      console.log(doors.every((door) => Object.keys(door).length > 0));`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', ask], {
      cwd: join(prefix, 'lib/node_modules/corral'),
    });

    expect(stdout.trim()).to.equal('true');
  });
});
