import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { request } from 'undici';
import { until } from '../support/corral.ts';
import { generateGguf } from '../../src/models/generate-gguf.ts';

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

describe('the command line', function () {
  this.timeout(60_000);
  let folder: string;
  let env: NodeJS.ProcessEnv;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'corral-cli-'));
    const { LLAMA_SERVER: _server, CORRAL_CONFIG: _config, ...rest } = process.env;
    env = {
      ...rest,
      HOME: folder,
      XDG_DATA_HOME: join(folder, 'data'),
      XDG_CONFIG_HOME: join(folder, 'config'),
    };
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const corral = (...args: string[]): Promise<{ code: number; out: string; err: string }> =>
    new Promise((resolve) => {
      execFile(process.execPath, ['--import', tsx, main, ...args], { cwd: folder, env }, (error, out, err) =>
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err }),
      );
    });
  const write = (text: string): Promise<void> => writeFile(join(folder, 'corral.yaml'), text);

  it('helps with every command', async () => {
    const { out } = await corral('--help');

    for (const command of ['serve', 'check', 'models', 'ps']) {
      expect(out).to.contain(`  ${command} `);
      expect((await corral(command, '--help')).out).to.contain(`Usage: corral ${command}`);
    }
  });

  it('checks a configuration, and says what each model needs and why', async () => {
    await generateGguf(join(folder, 'm.gguf'));
    await write('models:\n  good: { path: m.gguf }\n  gone: { path: nowhere.gguf }\n');

    const { code, out } = await corral('check');
    const json = JSON.parse((await corral('check', '--json')).out) as {
      models: { name: string; needSource: string }[];
    };

    expect(code).to.equal(1);
    expect(out).to.match(/1 of 2 models cannot be used/);
    expect(out).to.match(/good\s+embedded\s+2048\s+4\s+\d+ MiB \(predicted\)/);
    expect(out).to.match(/gone.*nowhere\.gguf cannot be opened/);
    expect(json.models.map(({ name, needSource }) => [name, needSource])).to.deep.equal([
      ['good', 'predicted'],
      ['gone', null],
    ]);
  });

  it('names the devices that llama-server lists, and which of them are left out', async () => {
    const server = join(folder, 'llama-server');
    await writeFile(
      server,
      `#!/bin/sh
echo 'Available devices:'
echo '  CUDA0: NVIDIA GeForce RTX 3090 (24576 MiB, 24000 MiB free)'
echo '  Vulkan0: NVIDIA GeForce RTX 3090 (24576 MiB, 24000 MiB free)'
`,
      { mode: 0o755 },
    );
    await write(`llamaServer: ${server}\n`);

    const { out } = await corral('check');
    expect(out).to.contain('device CUDA0: NVIDIA GeForce RTX 3090, 24.0 GiB\n');
    expect(out).to.contain('device Vulkan0 is the same card as CUDA0');
    await writeFile(server, '#!/bin/sh\necho broken >&2; exit 3\n', { mode: 0o755 });
    expect((await corral('check')).out).to.match(/warning: the devices could not be listed: .*broken/);
  });

  it('does not call a configuration well that it warns of', async () => {
    await write('folders: [modls]\n');

    const { code, out } = await corral('check');

    expect(code).to.equal(0);
    expect(out).to.match(/can be used, but it names no models, and there are warnings\n/);
    expect(out).to.match(/warning: .*modls cannot be read: there is no such file or folder\n/);
  });

  it('exits with 2 on a configuration that cannot be used, and says where', async () => {
    await write('modles: {}\n');

    const { code, err } = await corral('check');

    expect(code).to.equal(2);
    expect(err).to.match(/corral\.yaml:1:1: modles: unknown key 'modles'\. Did you mean 'models'\?/);
  });

  it('names a file that is not there, and says no more of it than that', async () => {
    const { code, err } = await corral('import', 'llama-swap', 'nowhere.yaml');

    expect(code).to.equal(2);
    expect(err).to.equal('nowhere.yaml: cannot be read: there is no such file or folder\n');
  });

  it('says what to do when no Corral answers', async () => {
    await write('listen: { port: 1 }\n');

    const { code, err } = await corral('ps');

    expect(code).to.equal(1);
    expect(err).to.match(/No Corral answers at http:\/\/127\.0\.0\.1:1 .*corral serve/);
  });

  it('serves a demonstration on the first start, and prints a request that works', async () => {
    env['CORRAL_PORT'] = '0';
    const child = spawn(process.execPath, ['--import', tsx, main, 'serve'], { cwd: folder, env });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    try {
      await until('it serves', () => output.includes('Ctrl-C'), 40_000);
      const [, url = '', body = ''] =
        /curl (\S+) -H 'content-type: application\/json' -d '(.*)'/.exec(output) ?? [];
      const answer = await request(url, { method: 'POST', body });

      expect(answer.statusCode).to.equal(200);
      expect(await answer.body.text()).to.contain('Hello from tiny-chat');
      const config = /configuration\s+(\S+)/.exec(output)?.[1] ?? '';
      expect(await readFile(config, 'utf8')).to.contain('large-chat:');
    } finally {
      const over = once(child, 'exit');
      child.kill('SIGTERM');
      expect((await over)[0]).to.equal(0);
    }
  });

  it('shows what runs', async () => {
    await generateGguf(join(folder, 'm.gguf'));
    await write('models: { good: { path: m.gguf, keepAlive: forever } }\n');
    const child = spawn(process.execPath, ['--import', tsx, main, 'serve'], {
      cwd: folder,
      env: { ...env, CORRAL_PORT: '0' },
    });
    try {
      let output = '';
      child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
      await until('it serves', () => output.includes('Ctrl-C'), 40_000);
      const url = /at (http:\S+)/.exec(output)?.[1] ?? '';
      const body = JSON.stringify({ model: 'good', prompt: 'x', max_tokens: 1 });
      await (await request(`${url}/v1/completions`, { method: 'POST', body })).body.dump();
      env['CORRAL_PORT'] = new URL(url).port;

      const { out } = await corral('ps');
      const { out: models } = await corral('models');

      expect(out).to.match(/CPU\s+Main memory\s+\d+ MiB of/);
      expect(out).to.match(/runner-1\s+good\s+idle\s+0\/4\s+\d+ MiB on CPU\s+forever\s+\d+/);
      expect(models).to.match(/good\s+idle/);
    } finally {
      const over = once(child, 'exit');
      child.kill('SIGTERM');
      await over;
    }
  });
});
