import { Validator } from '@seriousme/openapi-schema-validator';
import { expect } from 'chai';
import { ConfigError } from '../../src/config/config-error.ts';
import { BodyCapture } from '../../src/http/body-capture.ts';
import { newEntry } from '../../src/http/request-log.ts';
import type { OpenApiDocument } from '../../src/management/openapi.ts';
import { aModel } from '../support/pool.ts';
import { faultsOf, operationsOf, structuralFaultsOf, type Described } from './support/document.ts';
import { aBrokenModel, Managed } from './support/managed.ts';

describe("the management API's document", () => {
  let managed: Managed;
  let document: OpenApiDocument;
  beforeEach(async () => {
    managed = await Managed.of(
      [aModel('a', 16), aModel('b', 16), aModel('hf:user/repo', 4)],
      [aBrokenModel('broken')],
    );
    document = (await managed.get('/openapi.json')).body;
  });

  it("is OpenAPI 3.1, by the specification's own schema", async () => {
    expect(await new Validator().validate({ ...document })).to.deep.equal({ valid: true });
  });

  it('holds together where no schema looks: names, parameters, references', () => {
    expect(structuralFaultsOf(document)).to.deep.equal([]);
  });

  it('has every route', () => {
    const routes = operationsOf(document).map(
      ({ method, path }) => `${method} ${path.replace('/api/v1', '')}`,
    );

    expect(routes).to.have.members([
      'GET /status',
      'GET /devices',
      'GET /queue',
      'GET /decisions',
      'GET /history',
      'GET /activity',
      'GET /activity.csv',
      'GET /activity/{id}',
      'GET /recording',
      'POST /drain',
      'POST /config/reload',
      'POST /devices/pause',
      'POST /devices/resume',
      'GET /models',
      'GET /models/{name}',
      'GET /explain/{name}',
      'POST /models/{name}/load',
      'POST /models/{name}/unload',
      'POST /models/{name}/pin',
      'GET /runners',
      'GET /runners/{id}',
      'GET /runners/{id}/log',
      'GET /runners/{id}/log/follow',
      'POST /runners/{id}/stop',
      'POST /runners/{id}/terminal',
      'GET /openapi.json',
      'GET /docs',
    ]);
  });

  it('describes what every route answers, well or not, whatever is going on', async () => {
    const asked = new Map<string, Set<number>>();
    const ask = async (id: string, path: string, body?: object): Promise<void> => {
      const described = operationsOf(document).find(({ operation }) => operation.operationId === id);
      const answer = await (described?.method === 'POST' ? managed.post(path, body) : managed.get(path));
      asked.set(id, (asked.get(id) ?? new Set()).add(answer.status));
      expect(faultsOf(document, described as Described, answer)).to.deep.equal([]);
    };
    const readAll = async (): Promise<void> => {
      for (const name of ['a', 'b', 'broken', 'hf%3Auser%2Frepo', 'nobody']) {
        await ask('getModel', `/models/${name}`);
        await ask('explainModel', `/explain/${name}`);
      }
      for (const id of ['runner-1', 'runner-2', 'nobody']) {
        await ask('getRunner', `/runners/${id}`);
        await ask('getRunnerLog', `/runners/${id}/log?lines=5`);
      }
      await ask('getStatus', '/status');
      await ask('listDevices', '/devices');
      await ask('getQueue', '/queue');
      await ask('listModels', '/models');
      await ask('listRunners', '/runners');
      await ask('listDecisions', '/decisions?model=a&kind=load&after=0&limit=5');
      await ask('getRecording', '/recording');
    };
    const { pool } = managed;
    pool.world.modelOf('b').signOfLifeMs = 100;

    await readAll();
    await ask('loadModel', '/models/a/load');
    await ask('loadModel', '/models/broken/load');
    await readAll();
    pool.advance(5_000);
    managed.logs.append('runner-1', 'one\ntwo\n');
    await ask('writeTerminal', '/runners/runner-1/terminal', { text: 'y\r' });
    const typed: string[] = [];
    managed.logs.begin('runner-1', (text) => typed.push(text));
    await ask('writeTerminal', '/runners/runner-1/terminal', { text: '\u0013y\r' });
    expect(typed).to.deep.equal(['y\r']);
    const lease = pool.request(aModel('a', 16));
    pool.request(aModel('a', 16));
    pool.request(aModel('b', 16));
    pool.advance(10);
    await readAll();
    lease.end();
    pool.advance(60_000);
    await readAll();
    await ask('pinModel', '/models/a/pin', { pinned: true, keepAlive: 'forever' });
    await ask('pinModel', '/models/a/pin', { pinned: 'yes' });
    await ask('unloadModel', '/models/a/unload', { drainSeconds: 1 });
    await ask('stopRunner', `/runners/${[...pool.ledger.runners.keys()].at(-1)}/stop`, { force: true });
    await readAll();
    pool.advance(60_000);
    await ask('unloadModel', '/models/hf%3Auser%2Frepo/unload', {});
    await ask('followRunnerLog', '/runners/runner-1/log/follow');
    await ask('stopRunner', '/runners/runner-1/stop');
    await ask('writeTerminal', '/runners/runner-1/terminal', { text: 'y\r' });
    await ask('getHistory', '/history');
    await ask('listActivity', '/activity?status=200');
    await ask('getActivityCsv', '/activity.csv');
    managed.activity.add(
      { ...newEntry('POST', '/v1/completions', null), model: 'a', outcome: 'ok' },
      { status: 200, durationMs: 1, api: 'openai' },
      new BodyCapture(),
    );
    await ask('listActivity', '/activity');
    await ask('getBodies', '/activity/1');
    await ask('getBodies', '/activity/2');
    await ask('reloadConfig', '/config/reload', { dryRun: true });
    const wrong = { line: 3, column: 5, key: 'limits.queue', message: 'expected a number' };
    managed.reload = () => Promise.reject(new ConfigError('corral.yaml', [wrong]));
    await ask('reloadConfig', '/config/reload');
    await ask('getDocs', '/docs');
    await ask('getOpenApi', '/openapi.json');
    await ask('pauseDevices', '/devices/pause', { refuse: true });
    await ask('pauseDevices', '/devices/pause', { devices: ['CUDA7'] });
    await readAll();
    await ask('resumeDevices', '/devices/resume');
    await ask('drain', '/drain', { seconds: 0 });
    await ask('loadModel', '/models/a/load');
    await readAll();

    expect([...asked.keys()]).to.have.members(
      operationsOf(document).map(({ operation }) => operation.operationId),
    );
    expect([...(asked.get('loadModel') ?? [])]).to.have.members([202, 404, 503]);
    expect([...(asked.get('unloadModel') ?? [])]).to.have.members([202, 409]);
    expect([...(asked.get('stopRunner') ?? [])]).to.have.members([202, 404]);
    expect([...(asked.get('writeTerminal') ?? [])]).to.have.members([202, 404, 409]);
  });

  it('would show an answer that it does not describe', async () => {
    const described = operationsOf(document).find(({ path }) => path.endsWith('/devices')) as Described;
    const answer = await managed.get('/devices');
    const [device] = answer.body.devices;
    const faults = (body: unknown): number => faultsOf(document, described, { ...answer, body }).length;

    expect(faults({ devices: [device] })).to.equal(0);
    expect(faults({ devices: [{ ...device, more: 1 }] })).to.equal(1);
    expect(faults({ devices: [{ ...device, totalBytes: '1' }] })).to.equal(1);
    expect(faults({})).to.equal(1);
    expect(
      faultsOf(document, described, { ...answer, headers: { 'content-type': 'text/xml' } }),
    ).to.have.length(1);
  });

  it('is a page too, which needs nothing from elsewhere and leads nowhere that is not there', async () => {
    const { status, headers, body: page } = await managed.get('/docs');
    const ids = new Set([...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id));

    expect(status).to.equal(200);
    expect(headers['content-type']).to.equal('text/html; charset=utf-8');
    expect(headers['content-security-policy']).to.contain("default-src 'none'");
    expect(page).to.not.match(/<script|https?:|src=/);
    expect(page).to.contain('prefers-color-scheme: dark');
    for (const { operation, path } of operationsOf(document)) {
      expect(ids).to.include(operation.operationId);
      expect(page).to.contain(path);
    }
    for (const [, target] of page.matchAll(/href="#([^"]+)"/g)) expect(ids).to.include(target);
  });
});
