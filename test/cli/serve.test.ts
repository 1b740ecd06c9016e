import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect } from 'chai';
import * as pty from 'node-pty';
import { request } from 'undici';
import { generateGguf } from '../../src/models/generate-gguf.ts';
import { isRunning, until } from '../support/corral.ts';

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
const program = ['--import', tsx, main];
const START_MS = 60_000;

describe('corral serve', function () {
  this.timeout(180_000);
  let folder: string;
  let env: Record<string, string>;
  beforeEach(async () => {
    children = [];
    folder = await mkdtemp(join(tmpdir(), 'corral-serve-'));
    env = { PATH: process.env['PATH'] ?? '', HOME: folder, XDG_DATA_HOME: join(folder, 'data') };
    for (const name of ['a', 'b']) await generateGguf(join(folder, `${name}.gguf`));
  });
  let children: ChildProcess[];
  afterEach(async () => {
    for (const child of children) child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  });

  const write = (text: string): Promise<void> => writeFile(join(folder, 'corral.yaml'), text);
  const corral = (...args: string[]): Promise<{ code: number; out: string; err: string }> =>
    new Promise((resolve) => {
      execFile(process.execPath, [...program, ...args], { cwd: folder, env }, (error, out, err) =>
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err }),
      );
    });
  const start = async (...args: string[]): Promise<Running> => {
    const child = spawn(process.execPath, [...program, 'serve', ...args], { cwd: folder, env });
    children.push(child);
    const running = { child, out: '', err: '' };
    child.stdout.on('data', (chunk: Buffer) => (running.out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (running.err += chunk.toString()));
    await until('it serves', () => running.out.includes('Ctrl-C'), START_MS);
    return running;
  };
  const modelsOf = async (url: string): Promise<string[]> => {
    const { data } = (await (await request(`${url}/v1/models`)).body.json()) as { data: { id: string }[] };
    return data.map(({ id }) => id).filter((id) => !id.endsWith(':latest'));
  };

  it('takes over a new configuration on SIGHUP and on request, and keeps the old one when it is wrong', async () => {
    await write('models: { a: { path: a.gguf } }\nlisten: { port: 1 }\n');
    const running = await start('--port', '0', '--ollama-port', '0');
    const url = /at (http:\S+)/.exec(running.out)?.[1] ?? '';
    const ollamaUrl = /as Ollama\s+(http:\S+)/.exec(running.out)?.[1] ?? '';
    env['CORRAL_PORT'] = new URL(url).port;

    const tags = await (await request(`${ollamaUrl}/api/tags`)).body.text();
    expect(tags).to.contain('"name":"a"');

    await write('models: { a: { path: a.gguf }, b: { path: b.gguf } }\n');
    running.child.kill('SIGHUP');
    await until('b is there', async () => (await modelsOf(url)).includes('b'));

    await write('models: { a: { path: a.gguf, slotz: 1 } }\n');
    running.child.kill('SIGHUP');
    await until('it is refused', () => running.err.includes('config.rejected'));
    expect(running.err).to.contain("models.a.slotz: unknown key 'slotz'. Did you mean 'slots'?");
    expect(await modelsOf(url)).to.deep.equal(['a', 'b']);

    await write('models: { b: { path: b.gguf } }\n');
    const dry = await corral('reload', '--dry-run');
    expect(dry.out).to.equal('- model a\nNothing is applied: a dry run.\n');
    expect(await modelsOf(url)).to.deep.equal(['a', 'b']);
    expect((await corral('reload')).out).to.equal('- model a\nApplied.\n');
    expect(await modelsOf(url)).to.deep.equal(['b']);

    expect(await ended(running)).to.equal(0);
    const last = running.err.trim().split('\n').at(-1) ?? '';
    expect(JSON.parse(last)).to.include({ event: 'stopped' });
    for (const one of [url, ollamaUrl])
      expect(
        await request(one).then(
          () => 'answers',
          () => 'closed',
        ),
      ).to.equal('closed');
  });

  it('says whose port is taken, and what to do', async () => {
    await write('models: {}\n');
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const port = String((other.address() as AddressInfo).port);

    const own = await corral('serve', '--port', port);
    const ollamas = await corral('serve', '--port', '0', '--ollama-port', port);
    other.close();

    expect(own.code).to.equal(1);
    expect(own.err).to.contain(`127.0.0.1:${port} (listen.port) is in use, perhaps by another Corral.`);
    expect(ollamas.code).to.equal(1);
    expect(ollamas.err).to.contain(`(listen.ollamaPort) is in use, most likely by Ollama itself.`);
  });

  it('names an option that is wrong, as it names a key', async () => {
    await write('models: {}\n');

    const { code, err } = await corral('serve', '--port', 'eighty');

    expect(code).to.equal(2);
    expect(err).to.contain('--port: listen.port: expected number');
  });

  it('shows in check what the environment sets, and warns of what is no setting', async () => {
    await write('models: {}\n');
    Object.assign(env, { CORRAL_LIMITS_QUEUE: '7', CORRAL_LIMIT_WAIT: '1m' });

    const { out } = await corral('check');

    expect(out).to.contain('limits.queue: as CORRAL_LIMITS_QUEUE says\n');
    expect(out).to.contain(
      "warning: the environment's CORRAL_LIMIT_WAIT is no setting. Did you mean 'CORRAL_LIMITS_WAIT'?",
    );
  });

  it('logs for people on a terminal, reads its configuration again there, and ends when that is closed', async () => {
    await write('models: { a: { path: a.gguf } }\n');
    const terminal = pty.spawn(process.execPath, [...program, 'serve', '--port', '0'], {
      cwd: folder,
      env,
      cols: 400,
    });
    let seen = '';
    terminal.onData((text) => (seen += text));
    await until('it serves', () => seen.includes('Ctrl-C'), START_MS);

    await write('models: { b: { path: b.gguf } }\n');
    process.kill(terminal.pid, 'SIGHUP');
    await until('it has read it again', () => seen.includes('config.reloaded'));
    expect(seen).to.match(/\[\d\d:\d\d:\d\d\].*INFO.*config\.changed.*- model a/);

    (terminal as unknown as { destroy(): void }).destroy();
    await until('it has ended', () => !isRunning(terminal.pid), START_MS);
  });
});

interface Running {
  readonly child: ChildProcess;
  out: string;
  err: string;
}

async function ended({ child }: Running): Promise<number> {
  const over = once(child, 'close');
  child.kill('SIGTERM');
  return (await over)[0] as number;
}
