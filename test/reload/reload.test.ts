import { copyFile, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { pino } from 'pino';
import { request } from 'undici';
import { stringify } from 'yaml';
import { loadConfig } from '../../src/config/load-config.ts';
import { serve, type Served } from '../../src/serve.ts';
import { simulate, scenarioOf } from '../../src/simulation/simulate.ts';
import type { ScenarioInput } from '../../src/simulation/simulate.ts';
import { chat, until } from '../support/corral.ts';
import { writeModels, type TestModels } from '../support/models.ts';

// oxlint-disable-next-line typescript/no-explicit-any -- answers are compared, not worked with
type Answer = { status: number; body: any };

describe('a running Corral', function () {
  this.timeout(120_000);
  let models: TestModels;
  let folder: string;
  let served: Served;
  let logged: { event: string; msg: string; level: number }[];
  before(async () => {
    models = await writeModels(['tiny', 'other', 'endless']);
  });
  after(() => models.remove());
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'corral-reload-'));
    logged = [];
  });
  afterEach(async () => {
    await served.stop(0);
    await rm(folder, { recursive: true, force: true });
  });

  const file = (): string => join(folder, 'corral.yaml');
  const write = (config: object): Promise<void> =>
    writeFile(
      file(),
      stringify({
        listen: { port: 0 },
        dataFolder: folder,
        llamaServer: '/nowhere/llama-server',
        defaults: { runtime: 'embedded', context: 512, slots: 2, keepAlive: 'forever' },
        ...config,
      }),
    );
  const start = async (config: object): Promise<void> => {
    await write(config);
    const log = pino({ level: 'info' }, { write: (line) => void logged.push(JSON.parse(line)) });
    served = await serve({ ...loadConfig(file(), {}), configPath: file(), log, env: { PATH: '' } });
  };
  const post = async (path: string, body: object = {}): Promise<Answer> => {
    const answer = await request(served.url + path, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
      headersTimeout: 0,
    });
    return { status: answer.statusCode, body: await answer.body.json() };
  };
  const ask = (model: string): Promise<Answer> =>
    post('/v1/chat/completions', chat(model, { max_tokens: 3 }));
  const reload = (body: object = {}): Promise<Answer> => post('/api/v1/config/reload', body);
  const runners = (): string[] =>
    served.status().runners.map(({ id, model, state }) => `${id} ${model} ${state}`);

  it('takes over a new configuration, and touches only the runners that it concerns', async () => {
    await start({ models: models.config(['tiny', 'other', 'endless']) });
    await ask('tiny');
    await ask('other');
    const { pid } = served.status().runners.find(({ model }) => model === 'other') ?? {};
    const left = request(`${served.url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify(chat('endless', { stream: true, max_tokens: 400 })),
    });
    await until('endless is served', () => served.leases.counts.held === 1);

    await write({
      models: models.config(['tiny', 'other'], {
        tiny: { slots: 3 },
        other: { aliases: ['another'], keepAlive: '10m' },
      }),
      limits: { queue: 9 },
    });
    const { status, body } = await reload();

    expect(status).to.equal(200);
    expect(body.applied).to.equal(true);
    expect(body.text).to.deep.equal([
      '~ model tiny: slots 2 → 3; runner-1 may finish what it is running, then goes',
      '~ model other: aliases unset → another, keepAlive forever → 10m',
      '- model endless; runner-3 may finish what it is running',
      '~ limits.queue: 512 → 9',
    ]);
    await until('tiny has gone', () => !runners().some((one) => one.startsWith('runner-1')));
    expect(await (await left).body.text()).to.contain('[DONE]');
    expect((await ask('another')).status).to.equal(200);
    expect(served.status().runners.find(({ model }) => model === 'other')).to.include({
      id: 'runner-2',
      pid,
      keepAliveMs: 600_000,
    });
    expect((await ask('endless')).status).to.equal(404);
    await ask('tiny');
    expect(served.status().runners.find(({ model }) => model === 'tiny')?.slots).to.equal(3);
  });

  it('leaves a loaded model alone when a file of the same name comes into a folder before it', async () => {
    await mkdir(join(folder, 'b'));
    await copyFile(models.path('tiny'), join(folder, 'b', 'tiny.gguf'));
    await start({ folders: ['.'] });
    await ask('tiny');
    await mkdir(join(folder, 'a'));
    await copyFile(models.path('other'), join(folder, 'a', 'tiny.gguf'));

    const { body } = await reload();
    const answers = await Promise.all(['tiny', 'b/tiny', 'a/tiny'].map(ask));
    const again = await reload();

    expect(body.text).to.deep.equal([
      `+ model a/tiny: path ${join(folder, 'a', 'tiny.gguf')}`,
      '~ model tiny: aliases unset → b/tiny',
    ]);
    expect(answers.map(({ body: { choices } }) => choices[0].message.content)).to.deep.equal([
      ' this is tiny',
      ' this is tiny',
      ' another one answers',
    ]);
    expect(again.body.text).to.deep.equal([]);
    expect(runners()).to.deep.equal(['runner-1 tiny idle', 'runner-2 a/tiny idle']);
    expect(logged.filter(({ event }) => event === 'models.warning').map(({ msg }) => msg)[0]).to.equal(
      `${join(folder, 'a', 'tiny.gguf')} is asked for as a/tiny: tiny is another model's name`,
    );
  });

  it('serves a file without a reload that comes into a folder, where it watches', async () => {
    await mkdir(join(folder, 'store'));
    await start({ folders: ['store'], watch: true });
    await copyFile(models.path('tiny'), join(folder, 'store', 'tiny.gguf'));
    await until('it is listed', () => served.catalogue.entries.length === 1);

    expect((await ask('tiny')).status).to.equal(200);
    await rm(join(folder, 'store', 'tiny.gguf'));
    await copyFile(models.path('other'), join(folder, 'store', 'other.gguf'));
    await until('the other is listed', () => served.catalogue.entries[0]?.name === 'other');
    expect((await ask('tiny')).status).to.equal(404);
  });

  it('serves what another program has fetched without a reload, where it watches', async () => {
    const repo = join(folder, 'hub', 'models--u--r');
    const commit = 'c0ffee0';
    await mkdir(join(folder, 'hub'));
    await start({ discover: { huggingFace: 'hub' }, watch: true });
    await mkdir(join(repo, 'snapshots', commit), { recursive: true });
    await mkdir(join(repo, 'refs'));
    await copyFile(models.path('tiny'), join(repo, 'snapshots', commit, 'm-Q4_K_M.gguf'));
    await writeFile(join(repo, 'refs', 'main'), commit);

    await until('it is listed', () => served.catalogue.entries.length === 1);
    expect((await ask('u/r:Q4_K_M')).status).to.equal(200);
  });

  it('serves a model at once that is new, and loads it when it is pinned', async () => {
    await start({ models: models.config(['tiny']) });

    await write({ models: models.config(['tiny', 'other'], { other: { pin: true } }) });
    const { body } = await reload();

    expect(body.models[0]).to.deep.include({ name: 'other', change: 'added' });
    await until('it is loaded', () => runners().some((one) => one.endsWith('other idle')));
    expect((await ask('other')).status).to.equal(200);
  });

  it('only says what would change on a dry run', async () => {
    await start({ models: models.config(['tiny']) });

    await write({ models: {}, listen: { port: 1 } });
    const { body } = await reload({ dryRun: true });

    expect(body.applied).to.equal(false);
    expect(body.text).to.deep.equal(['- model tiny', '~ listen.port: 0 → 1 (counts after a restart)']);
    expect((await ask('tiny')).status).to.equal(200);
  });

  it('keeps the old configuration when the new one is wrong, and says where', async () => {
    await start({ models: models.config(['tiny']) });

    await writeFile(file(), 'models:\n  tiny: { path: x.gguf, contxt: 1 }\n');
    const { status, body } = await reload();

    expect(status).to.equal(422);
    expect(body.code).to.equal('config_invalid');
    expect(body.detail).to.contain("corral.yaml:2:25: models.tiny.contxt: unknown key 'contxt'");
    expect(body.errors).to.deep.equal([
      {
        path: 'models.tiny.contxt',
        message: "unknown key 'contxt'. Did you mean 'context'?",
        file: file(),
        line: 2,
        column: 25,
      },
    ]);
    expect(logged.find(({ event }) => event === 'config.rejected')?.msg).to.contain('corral.yaml:2:25');
    expect((await ask('tiny')).status).to.equal(200);
  });

  it('tells each time what needs a restart, until it has been started again', async () => {
    await start({ models: models.config(['tiny']) });
    await write({ models: models.config(['tiny']), dataFolder: join(folder, 'other') });

    const { body: first } = await reload();
    const { body: second } = await reload();

    expect(first.settings).to.deep.equal([
      { key: 'dataFolder', from: folder, to: join(folder, 'other'), needsRestart: true },
    ]);
    expect(second.settings).to.deep.equal(first.settings);
  });

  it('leaves a model pinned that somebody has pinned since, unless just that is configured anew', async () => {
    await start({ models: models.config(['tiny']) });
    await post('/api/v1/models/tiny/pin', { pinned: true });
    const pinned = (): boolean | undefined => served.catalogue.find('tiny').spec?.pinned;

    await write({ models: models.config(['tiny'], { tiny: { maxQueue: 3 } }) });
    await reload();
    expect(pinned()).to.equal(true);
    await write({ models: models.config(['tiny'], { tiny: { maxQueue: 3, keepAlive: '1m' } }) });
    await reload();

    expect(pinned()).to.equal(false);
    expect(served.catalogue.find('tiny').spec?.keepAlive).to.equal(60_000);
  });

  it('finds models that have come into its folders since', async () => {
    await start({ folders: [join(folder, 'found')] });
    expect((await ask('tiny')).status).to.equal(404);

    await rename(models.folder, join(folder, 'found'));
    await reload();
    const { status } = await ask('tiny');
    await rename(join(folder, 'found'), models.folder);

    expect(status).to.equal(200);
  });

  it('applies limits of requests, and how much it logs', async () => {
    await start({ models: models.config(['tiny']) });

    await write({ models: models.config(['tiny']), limits: { body: 100 }, logLevel: 'error' });
    await reload();
    const lines = logged.length;
    const { status } = await post('/v1/completions', { model: 'tiny', prompt: 'x'.repeat(200) });

    expect(status).to.equal(413);
    expect(logged).to.have.length(lines);
  });

  it('is recorded, so that the session is decided the same way when it is simulated', async () => {
    const need = { memory: '200MiB' };
    await start({ models: models.config(['tiny', 'other'], { tiny: need, other: need }) });
    await ask('tiny');
    await ask('other');
    await write({
      devices: { CPU: { memory: '450MiB' } },
      models: models.config(['tiny', 'endless'], {
        tiny: { ...need, slots: 1 },
        endless: { ...need, pin: true },
      }),
    });
    await reload();
    // Who asks while they are going either waits for that or does not: a matter of less than a recording tells of.
    await until('the old ones have gone', () => !runners().some((one) => / (other|tiny) /.test(one)));
    await ask('tiny');
    await until('the pinned one is loaded', () => runners().some((one) => one.endsWith('endless idle')));

    const answer = await request(`${served.url}/api/v1/recording`);
    const scenario = (await answer.body.json()) as ScenarioInput;
    const result = simulate(scenarioOf(scenario));

    const live = scenario.expect?.decisions ?? [];
    expect(live).to.include.members(['unload other', 'load endless']);
    expect(result.decisions.map(({ kind, model }) => `${kind} ${model}`).slice(0, live.length)).to.deep.equal(
      live,
    );
    expect(result.failures).to.deep.equal([]);
  });
});
