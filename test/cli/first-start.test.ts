import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect } from 'chai';
import * as pty from 'node-pty';
import { request } from 'undici';
import { generateGguf } from '../../src/models/generate-gguf.ts';
import { FakeHub } from '../pull/support/fake-hub.ts';
import { isRunning, until } from '../support/corral.ts';

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
const serve = ['--import', tsx, main, 'serve', '--port', '0'];
const START_MS = 60_000;
const FILE = 'qwen2.5-0.5b-instruct-q4_k_m.gguf';
const LINE = 'npx corral pull hf:Qwen/Qwen2.5-0.5B-Instruct-GGUF:Q4_K_M --to ~/models';

describe('the first start, without a configuration', function () {
  this.timeout(180_000);
  let folder: string;
  let hub: FakeHub;
  let env: Record<string, string>;
  let terminal: pty.IPty | null;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'corral-first-'));
    hub = await new FakeHub('Qwen/Qwen2.5-0.5B-Instruct-GGUF').start();
    const file = join(folder, 'made-here.gguf');
    await generateGguf(file, { sentence: 'a real one , so to speak' });
    hub.files.set(FILE, await readFile(file));
    env = { PATH: process.env['PATH'] ?? '', HOME: folder, XDG_DATA_HOME: join(folder, 'data') };
    env['HF_ENDPOINT'] = hub.url;
    terminal = null;
  });
  afterEach(async () => {
    const pid = terminal?.pid;
    if (pid !== undefined && isRunning(pid)) {
      process.kill(pid, 'SIGTERM');
      await until('it has ended', () => !isRunning(pid), START_MS);
    }
    await hub.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** What a terminal shows; `answer` is typed once it asks. */
  const onTerminal = async (answer: string | null): Promise<string> => {
    const started = pty.spawn(process.execPath, serve, { cwd: folder, env, cols: 400 });
    terminal = started;
    let seen = '';
    started.onData((text) => (seen += text));
    if (answer !== null) {
      await until('it asks', () => seen.includes('[y/N]'), START_MS);
      expect(hub.seen).to.deep.equal([]);
      started.write(answer);
    }
    await until('it serves', () => seen.includes('Ctrl-C'), START_MS);
    return seen;
  };
  const say = async (seen: string, model: string): Promise<string> => {
    const url = /at (http:\S+)/.exec(seen)?.[1] ?? '';
    const body = JSON.stringify({ model, temperature: 0, messages: [{ role: 'user', content: 'Hello' }] });
    return (await request(`${url}/v1/chat/completions`, { method: 'POST', body })).body.text();
  };

  it('fetches a real model after a yes, and serves it before all others', async () => {
    const seen = await onTerminal('y\r');

    expect(seen).to.match(/models\s+qwen2\.5-0\.5b, tiny-chat,/);
    expect(seen).not.to.contain(LINE);
    expect(await say(seen, 'qwen2.5-0.5b')).to.contain('a real one , so to speak');
    expect(await say(seen, 'tiny-chat')).to.contain('Hello from tiny-chat');
  });

  it('fetches nothing without a yes, says how it is had, and does not ask again', async () => {
    const seen = await onTerminal('\r');
    process.kill(terminal?.pid ?? 0, 'SIGTERM');
    await until('it has ended', () => !isRunning(terminal?.pid ?? 0), START_MS);
    const again = await onTerminal(null);

    expect(hub.seen).to.deep.equal([]);
    for (const text of [seen, again]) expect(text).to.contain(LINE);
    expect(again).not.to.contain('[y/N]');
  });

  it('serves the demonstration all the same when nothing can be fetched', async () => {
    hub.odd.push((_request, response) => Boolean(response.writeHead(404).end()));

    const seen = await onTerminal('yes\r');

    expect(seen).to.contain('It could not be fetched: ');
    expect(await say(seen, 'tiny-chat')).to.contain('Hello from tiny-chat');
  });

  it('asks nobody where there is no terminal, and says how a real model is had', async () => {
    const child = spawn(process.execPath, serve, { cwd: folder, env });
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    await until('it serves', () => out.includes('Ctrl-C'), START_MS);
    const over = once(child, 'exit');
    child.kill('SIGTERM');
    await over;

    expect(out).not.to.contain('[y/N]');
    expect(out).to.contain(LINE);
    expect(hub.seen).to.deep.equal([]);
  });
});
