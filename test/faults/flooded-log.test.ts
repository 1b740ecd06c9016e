import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { Client } from 'undici';
import { hashOf } from '../../src/auth/key.ts';
import { groundFor, type Ground } from './support/serving.ts';

const KEY = 'corral_MARKED-known-key';
const WRONG_KEY = 'corral_MARKED-wrong-key';
const PROMPT = 'MARKED-prompt';
const LONG = 'x'.repeat(30_000);
const REQUESTS = 2_000;

interface Line {
  readonly event?: string;
  readonly of?: string;
  readonly status?: number;
  readonly lines?: number;
  readonly model?: string;
  readonly path?: string;
}

describe('a client that floods the log', function () {
  this.timeout(120_000);
  let ground: Ground;
  let child: ChildProcess;
  let client: Client;
  beforeEach(async () => {
    ground = await groundFor({
      keys: { known: { hash: hashOf(KEY), scopes: ['inference', 'read', 'manage'] } },
    });
    const file = openSync(join(ground.folder, 'log'), 'a');
    child = spawn(ground.command.file, ground.command.args, {
      stdio: ['ignore', 'ignore', file],
      env: ground.env,
    });
    closeSync(file);
    client = new Client(ground.url, { pipelining: 1 });
    await ground.served();
  });
  afterEach(async () => {
    child.kill('SIGKILL');
    await client.destroy();
    await ground.remove();
  });

  const send = async (path: string, key: string, body?: object): Promise<number> => {
    const answer = await client.request({
      path,
      method: body ? 'POST' : 'GET',
      headers: {
        authorization: `Bearer ${key}`,
        'content-type': 'application/json',
        'user-agent': LONG.slice(0, 500),
      },
      body: body ? JSON.stringify(body) : null,
    });
    await answer.body.dump();
    return answer.statusCode;
  };
  /** The log as it is once the service has ended. */
  const logged = async (): Promise<{ text: string; lines: readonly Line[] }> => {
    const over = once(child, 'exit');
    child.kill('SIGTERM');
    await over;
    const text = await readFile(join(ground.folder, 'log'), 'utf8');
    return {
      text,
      lines: text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Line),
    };
  };

  it('is told of in some lines and then counted: refused requests, with long paths', async () => {
    for (let i = 0; i < REQUESTS; i++)
      expect(await send(`/v1/models/${LONG}?key=${WRONG_KEY}`, WRONG_KEY)).to.equal(401);

    const { text, lines } = await logged();
    const refused = lines.filter(({ event, status }) => event === 'request.refused' && status === 401);
    const counted = lines.filter(({ event, of }) => event === 'log.repeated' && of === 'request.refused');
    expect(refused.length + counted.reduce((sum, line) => sum + (line.lines ?? 0), 0)).to.equal(REQUESTS);
    expect(counted).to.have.length.above(0);
    expect(refused[0]?.path).to.match(/^\/v1\/models\/x{100,}… \(30,0\d\d characters\)$/);
    expect(text.length).to.be.below(REQUESTS * 50);
    expect(text).to.not.contain('MARKED');
  });

  it('is told of in short lines: long names of models, prompts and commands', async () => {
    const messages = [{ role: 'user', content: PROMPT }];
    await send('/v1/chat/completions', KEY, { model: LONG, messages });
    await send('/api/chat', KEY, { model: LONG, messages });
    await send(`/upstream/${LONG}/completion`, KEY, { prompt: PROMPT });
    await send(`/api/v1/models/${LONG.slice(0, 250)}/load`, KEY, {});
    await send('/v1/chat/completions', KEY, { model: 'a', messages });

    const { text, lines } = await logged();
    expect(lines.filter(({ event }) => event === 'request.ended')).to.have.length(4);
    expect(lines.filter(({ event }) => event === 'command.ended')).to.have.length(1);
    for (const line of text.split('\n')) expect(line.length).to.be.below(1_500);
    expect(text).to.not.contain('MARKED');
  });

  it('does not hide who was served: each of those requests has its line', async () => {
    const messages = [{ role: 'user', content: PROMPT }];
    for (let i = 0; i < 120; i++) await send('/v1/chat/completions', KEY, { model: 'a', messages });

    const { lines } = await logged();
    expect(lines.filter(({ event }) => event === 'request.ended')).to.have.length(120);
  });
});
