import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { request } from 'undici';
import { groundFor, type Ground } from './support/serving.ts';

const program = fileURLToPath(new URL('../fixtures/send-file.mjs', import.meta.url));
/** A machine that does something else for a moment is no reason to fail; whoever stops everybody does so each time. */
const TRIES = 3;

const many = (count: number, text: string): string => Array.from({ length: count }, () => text).join(',');
const hello = '{"role":"user","content":"hello"}';

interface Sent {
  readonly status: number;
  readonly ms: number;
}

/** How long whoever asks for /health has to wait meanwhile, at the longest, in ms. */
async function longestWaitDuring(url: string, work: Promise<unknown>): Promise<number> {
  let isOver = false;
  void work.finally(() => (isOver = true));
  let longestMs = 0;
  while (!isOver) {
    const startMs = performance.now();
    const { body } = await request(`${url}/health`);
    await body.dump();
    longestMs = Math.max(longestMs, performance.now() - startMs);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return longestMs;
}

describe('a long body', function () {
  this.timeout(120_000);
  let ground: Ground;
  let child: ChildProcess;
  before(async () => {
    ground = await groundFor();
    child = spawn(ground.command.file, ground.command.args, { stdio: 'ignore', env: ground.env });
    await ground.served();
    await ground.ask();
  });
  after(async () => {
    child.kill('SIGKILL');
    await ground.remove();
  });

  const send = async (path: string, file: string): Promise<Sent> => {
    const { stdout } = await promisify(execFile)(process.execPath, [program, ground.url + path, file]);
    return JSON.parse(stdout) as Sent;
  };

  it('that is nested without end is refused, whichever API it speaks', async () => {
    const file = join(ground.folder, 'body.json');
    for (const [path, member] of [
      ['/api/chat', 'tools'],
      ['/api/generate', 'format'],
      ['/api/embed', 'options'],
      ['/v1/chat/completions', 'tools'],
    ] as const) {
      writeFileSync(file, `{"model":"a","${member}":${'['.repeat(100_000)}${']'.repeat(100_000)}}`);
      expect((await send(path, file)).status, path).to.equal(400);
    }
  });

  for (const { what, path, status, body } of [
    {
      what: 'of a great many small messages',
      path: '/api/chat',
      status: 200,
      body: () => `{"model":"a","messages":[${many(320_000, hello)}]}`,
    },
    {
      what: 'of a great many texts to embed',
      path: '/api/embed',
      status: 200,
      body: () => `{"model":"a","input":[${many(900_000, '"hello"')}]}`,
    },
    {
      what: 'of one long text to embed, which is cut',
      path: '/api/embed',
      status: 200,
      body: () => `{"model":"a","input":"${'x '.repeat(30 * 1024 ** 2)}"}`,
    },
    {
      what: 'of one long text to embed, which may not be cut',
      path: '/api/embed',
      status: 400,
      body: () => `{"model":"a","truncate":false,"input":"${'x '.repeat(30 * 1024 ** 2)}"}`,
    },
    {
      what: 'that is one long text',
      path: '/api/generate',
      status: 200,
      body: () => `{"model":"a","prompt":"${'Ä'.repeat(30 * 1024 ** 2)}"}`,
    },
    {
      what: 'of more values than any conversation has',
      path: '/api/chat',
      status: 400,
      body: () => `{"model":"a","messages":[${many(1_400_000, hello)}]}`,
    },
    {
      what: "of a great many small messages in OpenAI's form",
      path: '/v1/chat/completions',
      status: 200,
      body: () => `{"model":"a","messages":[${many(1_400_000, hello)}]}`,
    },
  ])
    it(`${what} keeps nobody else waiting`, async () => {
      const file = join(ground.folder, 'body.json');
      writeFileSync(file, body());
      const shares: string[] = [];
      for (let left = TRIES; left > 0; left--) {
        const sent = send(path, file);
        const longestMs = await longestWaitDuring(ground.url, sent);
        const { status: answered, ms } = await sent;
        expect(answered).to.equal(status);
        shares.push(`${longestMs.toFixed(0)} of ${ms.toFixed(0)} ms`);
        if (longestMs < ms / 4) return;
      }
      expect.fail(`/health waited for ${shares.join(', ')}`);
    });
});
