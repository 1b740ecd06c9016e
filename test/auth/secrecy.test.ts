import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { pino } from 'pino';
import { Agent, request } from 'undici';
import { WebSocket } from 'ws';
import { newKey } from '../../src/auth/key.ts';
import { scopes } from '../../src/auth/scopes.ts';
import { topics } from '../../src/ws/protocol.ts';
import { runtimes, startCorral, until, type Corral } from '../support/corral.ts';
import { keysOf } from '../support/guard.ts';
import { writeModels, type TestModels } from '../support/models.ts';
import { RawReader } from '../ws/support/raw-reader.ts';
import { ledgerOf } from '../../src/ledger-of.ts';

const chat = JSON.stringify({
  model: 'tiny',
  messages: [{ role: 'user', content: 'the words of a prompt' }],
  max_tokens: 4,
});

for (const runtime of runtimes)
  describe(`keys, with ${runtime}`, function () {
    this.timeout(120_000);
    const [key, wrong] = [newKey(), newKey()];
    const lines: string[] = [];
    let models: TestModels;
    let corral: Corral;
    before(async () => {
      models = await writeModels(['tiny']);
      const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) });
      corral = await startCorral(
        runtime,
        {
          models: models.config(['tiny']),
          keys: keysOf({ one: { key, scopes: [...scopes] } }),
          inspect: true,
        },
        { log },
      );
    });
    after(async () => {
      await corral.close();
      await models.remove();
    });

    const send = async (
      base: string,
      path: string,
      headers: Record<string, string>,
      body?: string,
      socketPath?: string,
    ): Promise<{ status: number; text: string }> => {
      const { statusCode, body: reply } = await request(`${base}${path}`, {
        ...(socketPath !== undefined && { dispatcher: new Agent({ connect: { socketPath } }), reset: true }),
        method: body === undefined ? 'GET' : 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        ...(body !== undefined && { body }),
      });
      return { status: statusCode, text: await reply.text() };
    };
    const own = { authorization: `Bearer ${key}` };
    const runner = () => {
      const [row] = ledgerOf(corral.scheduler).runners.values();
      if (!row?.endpoint || row.pid === null) throw new Error('no runner');
      return { pid: row.pid, ...row.endpoint };
    };

    it('of a runner are its own, and nothing is had from it without', async () => {
      expect((await send(corral.url, '/v1/chat/completions', own, chat)).status).to.equal(200);
      const { apiKey, socketPath } = runner();
      const ask = async (path: string, headers: Record<string, string>, body?: string) =>
        (await send('http://runner', path, headers, body, socketPath)).status;

      for (const headers of [{}, own, { authorization: `Bearer ${apiKey}x` }] as Record<string, string>[]) {
        expect(await ask('/v1/chat/completions', headers, chat)).to.equal(401);
        expect(await ask('/slots', headers)).to.equal(401);
      }
      expect(await ask('/v1/chat/completions', { authorization: `Bearer ${apiKey}` }, chat)).to.equal(200);
      expect(apiKey).to.have.length.of.at.least(32);
    });

    it('of a runner are not among the arguments of its process', async () => {
      const { pid, apiKey } = runner();
      const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8');

      expect(commandLine).to.contain('tiny');
      expect(commandLine).to.not.contain(apiKey);
    });

    it('are in no answer, no log and no file', async () => {
      const heard: string[] = [];
      const hear = async (path: string, headers: Record<string, string> = own, body?: string) =>
        void heard.push((await send(corral.url, path, headers, body)).text);
      const { paths } = JSON.parse((await send(corral.url, '/api/v1/openapi.json', own)).text) as {
        paths: Record<string, { get?: object }>;
      };
      for (const [path, { get }] of Object.entries(paths))
        if (get && !path.endsWith('/follow'))
          await hear(path.replace('{name}', 'tiny').replace('{id}', 'runner-1'));
      for (const path of ['/props?model=tiny', '/slots?model=tiny', '/metrics', '/api/ps', '/v1/models'])
        await hear(path);
      await hear('/upstream/tiny/props');
      for (const headers of [{ 'x-api-key': key }, { 'x-api-key': wrong }] as Record<string, string>[]) {
        await hear(`/v1/chat/completions?key=${wrong}`, headers, chat);
        await hear('/v1/messages', headers, '{');
        await hear('/api/chat', headers, '{}');
        await hear(`/nowhere?api_key=${wrong}`, headers);
      }
      const inProtocol = `corral.key.${Buffer.from(key).toString('base64url')}`;
      const reader = await RawReader.open(corral.url, {}, ['corral.v1', inProtocol]);
      for (const topic of topics) {
        const params = { log: { runnerId: 'runner-1' }, terminal: { runnerId: 'runner-1' } }[topic as 'log'];
        await reader.ask({ type: 'subscribe', id: topic, topic, ...(params && { params }) });
      }
      await reader.settle();
      heard.push(JSON.stringify(reader.messages));
      reader.socket.terminate();
      await once(reader.socket, 'close');
      const inspector = new WebSocket(`${corral.url.replace('http', 'ws')}/inspect`, { headers: own });
      inspector.on('message', (data: Buffer) => heard.push(data.toString()));
      await until('the inspector is told', async () => heard.some((text) => text.includes('@xstate')));
      inspector.terminate();
      await until('all requests are logged', () => lines.join('').includes('/nowhere'));
      const { apiKey } = runner();
      const files = await filesIn(corral.folder);

      expect(heard.join('')).to.contain('runner-1');
      expect(files).to.contain('runner-1');
      for (const secret of [key, wrong, apiKey]) {
        expect(heard.join(''), 'answers').to.not.contain(secret);
        expect(lines.join(''), 'log').to.not.contain(secret);
        expect(corral.logs.tail('runner-1', 1_000).join('\n'), 'log of the runner').to.not.contain(secret);
        expect(files, 'files').to.not.contain(secret);
      }
      expect(lines.join('')).to.not.contain('the words of a prompt');
    });
  });

/** All that Corral has written. */
async function filesIn(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const texts = entries
    .filter((entry) => entry.isFile())
    .map((entry) => readFile(join(entry.parentPath, entry.name), 'utf8'));
  return (await Promise.all(texts)).join('\n');
}
