import { expect } from 'chai';
import { writeFile } from 'node:fs/promises';
import { request } from 'undici';
import { chat, isRunning, startCorral, until, type Corral } from '../support/corral.ts';
import { writeModels, type TestModels } from '../support/models.ts';

describe('the management API, with real processes', function () {
  this.timeout(60_000);
  let models: TestModels;
  let corral: Corral;
  before(async () => {
    models = await writeModels(['tiny', 'endless']);
    await writeFile(models.path('torn'), 'GGUF, but not for long');
  });
  after(() => models.remove());
  beforeEach(async () => {
    corral = await startCorral('embedded', { models: models.config(['tiny', 'endless', 'torn']) });
  });
  afterEach(() => corral.close());

  // oxlint-disable-next-line typescript/no-explicit-any -- answers are compared, not worked with
  type Json = any;
  const ask = async (
    method: 'GET' | 'POST',
    path: string,
    body?: object,
  ): Promise<{ status: number; body: Json }> => {
    const answer = await request(`${corral.url}/api/v1${path}`, {
      method,
      headersTimeout: 0,
      ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    return { status: answer.statusCode, body: await answer.body.json() };
  };
  const pidOf = async (id: string): Promise<number> => (await ask('GET', `/runners/${id}`)).body.pid;

  it('loads a model, shows what its process prints, and unloads it', async () => {
    const loaded = await ask('POST', '/models/tiny/load?wait=true');
    expect([loaded.status, loaded.body.state, loaded.body.runners]).to.deep.equal([
      200,
      'idle',
      ['runner-1'],
    ]);
    const pid = await pidOf('runner-1');
    expect(isRunning(pid)).to.equal(true);

    const log = await ask('GET', '/runners/runner-1/log?lines=1');
    expect(log.body.lines).to.have.length(1);
    expect(log.body.lines[0]).to.match(/listening on /);

    expect((await ask('POST', '/models/tiny/unload')).status).to.equal(202);
    await until('it is unloaded', async () => (await ask('GET', '/models/tiny')).body.state === 'unloaded');
    expect(isRunning(pid)).to.equal(false);
    expect((await ask('GET', '/runners/runner-1/log')).body.lines).to.include(log.body.lines[0]);
    expect((await ask('GET', '/runners/runner-1')).status).to.equal(404);
  });

  it('tells its decisions without a version in the path too', async () => {
    await ask('POST', '/models/tiny/load?wait=true');
    const { body } = await request(`${corral.url}/api/decisions`);

    expect(await body.json()).to.deep.equal((await ask('GET', '/decisions')).body);
  });

  it('says why a model cannot be loaded', async () => {
    const { status, body } = await ask('POST', '/models/torn/load?wait=true');

    expect([status, body.code]).to.deep.equal([500, 'model_file_invalid']);
    expect(body.detail).to.contain(models.path('torn'));
  });

  it('stops a runner under its requests, and the next one gets a fresh process', async () => {
    const running = await request(`${corral.url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify(chat('endless', { stream: true })),
    });
    const pid = await pidOf('runner-1');

    const stopped = await ask('POST', '/runners/runner-1/stop', { force: true });

    expect([stopped.status, stopped.body.state]).to.deep.equal([202, 'unloading']);
    expect(await running.body.text()).to.contain('endless was stopped on request.');
    const again = await ask('POST', '/models/endless/load?wait=true');
    expect(again.body.runners).to.deep.equal(['runner-2']);
    expect(isRunning(pid)).to.equal(false);
  });

  it('goes on with a log until its runner has gone, or its reader', async () => {
    await ask('POST', '/models/tiny/load?wait=true');
    const follow = (signal?: AbortSignal) =>
      request(`${corral.url}/api/v1/runners/runner-1/log/follow?lines=1`, signal ? { signal } : {});
    const leaving = new AbortController();
    const left = await follow(leaving.signal);
    left.body.on('error', () => {});
    const stayed = await follow();
    leaving.abort();

    corral.logs.append('runner-1', 'one more\nand another\n');
    await ask('POST', '/models/tiny/unload');
    const lines = (await stayed.body.text()).split('\n');

    expect(stayed.headers['content-type']).to.equal('text/plain; charset=utf-8');
    expect(lines[0]).to.match(/listening on /);
    expect(lines).to.include.members(['one more', 'and another']);
  });

  it('leaves nobody waiting whose client has gone', async () => {
    const leaving = new AbortController();
    const waiting = request(`${corral.url}/api/v1/models/tiny/load?wait=true`, {
      method: 'POST',
      signal: leaving.signal,
    }).catch((error: Error) => error.name);
    await until('it loads', () => corral.status().runners[0]?.state === 'loading');

    leaving.abort();

    expect(await waiting).to.equal('AbortError');
    await until('it is loaded all the same', () => corral.status().runners[0]?.state === 'idle');
  });

  it('drains, and goes on telling how things are', async () => {
    await ask('POST', '/models/tiny/load?wait=true');

    expect((await ask('POST', '/drain')).body.state).to.equal('draining');
    await until('it has stopped', async () => (await ask('GET', '/status')).body.state === 'stopped');

    expect((await ask('GET', '/models/tiny')).body.state).to.equal('unloaded');
    expect((await ask('POST', '/models/tiny/load')).body.code).to.equal('shutting_down');
    expect((await ask('POST', '/drain')).status).to.equal(202);
  });
});
