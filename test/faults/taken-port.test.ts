import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { chat, runtimes, startCorral, until, type Corral } from '../support/corral.ts';
import { writeModels, type TestModels } from '../support/models.ts';
import { ledgerOf } from '../../src/ledger-of.ts';

const fake = fileURLToPath(new URL('../fixtures/fake-llama-server.mjs', import.meta.url));

/** Listens where a runner was going to, and says yes to everything. */
class Thief {
  readonly heard: { readonly path: string; readonly authorization: string; readonly body: string }[] = [];
  connections = 0;
  readonly #server: Server = createServer((request, response) => {
    void this.#hear(request).then(() => response.end('{"choices":[{"message":{"content":"stolen"}}]}'));
  }).on('connection', () => (this.connections += 1));

  listen(port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject).listen(port, '127.0.0.1', resolve);
    });
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #hear(request: IncomingMessage): Promise<void> {
    let body = '';
    for await (const chunk of request as AsyncIterable<Buffer>) body += chunk.toString();
    this.heard.push({ path: request.url ?? '', authorization: request.headers.authorization ?? '', body });
  }
}

describe('another process that listens where a runner was going to', function () {
  this.timeout(60_000);
  let models: TestModels;
  let corral: Corral;
  const thief = new Thief();
  before(async () => {
    models = await writeModels(['tiny']);
  });
  after(() => models.remove());
  afterEach(async () => {
    thief.close();
    await corral.close();
  });

  it('hears neither key nor prompt, and the request is served by the runner', async function () {
    // Who has a port is told by /proc alone.
    if (process.platform !== 'linux') this.skip();
    const mark = join(models.folder, 'bind-now');
    corral = await startCorral('llama-server', {
      llamaServer: fake,
      models: models.config(['tiny'], { tiny: { args: ['--fake', 'binds-late', '--mark', mark] } }),
    });
    const answer = corral.post('/v1/chat/completions', chat('tiny'));
    await until('a runner is started', () => (corral.status().runners[0]?.pid ?? null) !== null);
    const pid = corral.status().runners[0]?.pid ?? 0;
    const args = (): string[] => readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    // Just forked, it still has the arguments of who has forked it.
    await until('it is the runner', () => args().includes('--port'));

    await thief.listen(Number(args()[args().indexOf('--port') + 1]));
    await until('it is asked whether it is the runner', () => thief.connections > 2);
    writeFileSync(mark, '');

    expect(await answer).to.have.nested.property('body.choices[0].message.content', 'fake');
    expect(thief.heard).to.deep.equal([]);
  });
});

describe("a runner's port that any user of the machine could take", function () {
  this.timeout(60_000);
  let models: TestModels;
  let corral: Corral;
  before(async () => {
    models = await writeModels(['tiny']);
  });
  after(() => models.remove());

  const endpoint = () => {
    const [row] = ledgerOf(corral.scheduler).runners.values();
    if (!row?.endpoint) throw new Error('no runner');
    return row.endpoint;
  };
  const isRefused = (port: number): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.on('connect', () => (socket.destroy(), resolve(false))).on('error', () => resolve(true));
    });

  for (const runtime of runtimes)
    it(`is not used by runners that know sockets: they have them in a folder that is this user's alone [${runtime}]`, async () => {
      corral = await startCorral(runtime, { models: models.config(['tiny']) });
      expect((await corral.post('/v1/chat/completions', chat('tiny', { max_tokens: 2 }))).status).to.equal(
        200,
      );
      const { baseUrl, socketPath = '' } = endpoint();

      expect(statSync(socketPath).isSocket()).to.equal(true);
      expect(statSync(dirname(socketPath)).mode & 0o777).to.equal(0o700);
      expect(await isRefused(Number(new URL(baseUrl).port))).to.equal(true);

      await corral.close();
      expect(
        readdirSync(tmpdir()).filter((name) => name.startsWith(`corral-runners-${process.pid}-`)),
      ).to.deep.equal([]);
    });

  it('is used by a llama-server that knows no sockets, after one try', async () => {
    corral = await startCorral('llama-server', {
      llamaServer: fake,
      models: models.config(['tiny'], { tiny: { args: ['--fake', 'knows-no-sockets'] } }),
    });

    expect((await corral.post('/v1/chat/completions', chat('tiny'))).status).to.equal(200);
    expect(endpoint().socketPath).to.equal(undefined);
    await corral.close();
  });
});
