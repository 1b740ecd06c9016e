import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { pino } from 'pino';
import { request } from 'undici';
import { stringify } from 'yaml';
import { scopes } from '../../src/auth/scopes.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { serve, type Served } from '../../src/serve.ts';
import { placeIn, runCorral } from '../cli/support/run-cli.ts';
import { chat, until } from '../support/corral.ts';
import { keysOf } from '../support/guard.ts';
import { writeModels, type TestModels } from '../support/models.ts';

const KEY = 'corral_of_whoever_manages_this';

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

describe('a configuration file that is cut off, emptied or gone', function () {
  this.timeout(120_000);
  let models: TestModels;
  let folder: string;
  let served: Served;
  let logged: { event: string; msg: string; trigger?: string }[];
  before(async () => {
    models = await writeModels(['tiny', 'other', 'embed']);
  });
  after(() => models.remove());
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'corral-cut-'));
    logged = [];
  });
  afterEach(async () => {
    await served.stop(0);
    await rm(folder, { recursive: true, force: true });
  });

  const file = (): string => join(folder, 'corral.yaml');
  const textOf = (config: object): string =>
    stringify({
      listen: { port: 0 },
      watch: true,
      dataFolder: folder,
      llamaServer: '/nowhere/llama-server',
      defaults: { runtime: 'embedded', context: 512, slots: 2, keepAlive: 'forever' },
      ...config,
    });
  const start = async (config: object): Promise<void> => {
    await writeFile(file(), textOf(config));
    const log = pino({ level: 'info' }, { write: (line) => void logged.push(JSON.parse(line)) });
    served = await serve({ ...loadConfig(file(), {}), configPath: file(), log, env: { PATH: '' } });
  };
  const send = async (method: 'GET' | 'POST', path: string, body?: object, key?: string): Promise<Answer> => {
    const answer = await request(served.url + path, {
      method,
      ...(body && { body: JSON.stringify(body) }),
      headers: {
        'content-type': 'application/json',
        ...(key !== undefined && { authorization: `Bearer ${key}` }),
      },
      headersTimeout: 0,
    });
    return { status: answer.statusCode, body: (await answer.body.json()) as Answer['body'] };
  };
  const reload = (body: object = {}, key?: string) => send('POST', '/api/v1/config/reload', body, key);
  const names = (): string[] => served.catalogue.entries.map(({ name }) => name);
  const told = (count: number) =>
    logged.filter(({ event }) => /config\.(rejected|refused)/.test(event)).length >= count;

  it('changes nothing while it is watched: what runs goes on running', async () => {
    const all = { models: models.config(['tiny', 'other', 'embed']) };
    await start(all);
    await send('POST', '/v1/chat/completions', chat('tiny', { max_tokens: 3 }));

    for (const [i, text] of [
      '',
      '# my models\n\n',
      'null\n',
      textOf(all).slice(0, textOf(all).indexOf('  other:')),
      textOf(all).slice(0, textOf(all).indexOf('models:')),
    ].entries()) {
      await writeFile(file(), text);
      await until(`it is told that ${JSON.stringify(text)} is refused`, () => told(i + 1));
    }
    await rm(file());
    await until('it is told that it has gone', () => told(6));

    expect(names()).to.deep.equal(['tiny', 'other', 'embed']);
    expect(served.status().runners.map(({ model, state }) => `${model} ${state}`)).to.deep.equal([
      'tiny idle',
    ]);
    const refused = logged.filter(({ event }) => event === 'config.refused');
    expect(refused[0]?.msg).to.equal(
      'the configuration stays as it was: 2 of 3 models would go: other, embed. If that is meant, say so: corral reload --force',
    );
  });

  it('counts again as soon as it is whole', async () => {
    await start({ models: models.config(['tiny', 'other']) });
    await writeFile(file(), '');
    await until('it is refused', () => told(1));

    await writeFile(file(), textOf({ models: models.config(['tiny', 'other', 'embed']) }));

    await until('the new one counts', () => names().includes('embed'));
  });

  it('opens Corral to nobody: the last key stays until somebody says that it is meant to go', async () => {
    const keys = keysOf({ me: { key: KEY, scopes: [...scopes] } });
    await start({ keys, models: models.config(['tiny']) });
    const without = async (): Promise<number> => (await send('GET', '/api/v1/status')).status;

    await writeFile(file(), '');
    await until('the empty one is refused', () => told(1));
    expect(await without()).to.equal(401);
    await writeFile(file(), textOf({ models: models.config(['tiny']) }));
    await until('the one without keys is refused', () => told(2));
    expect(await without()).to.equal(401);
    await served.reloader.reload('signal').catch(() => {});
    expect(logged.at(-1)).to.include({ event: 'config.refused', trigger: 'signal' });
    expect(logged.at(-1)?.msg).to.contain('corral reload --drop-keys');

    const dry = await reload({ dryRun: true }, KEY);
    const refused = await reload({ force: true }, KEY);
    expect(await without()).to.equal(401);
    const applied = await reload({ dropKeys: true }, KEY);

    expect(dry.body['needed']).to.deep.equal([
      {
        consent: 'dropKeys',
        reason:
          'it has no keys any more: everybody who reaches http://127.0.0.1:0 could use and manage this Corral',
      },
    ]);
    expect(refused).to.deep.include({ status: 409 });
    expect(refused.body).to.include({ code: 'consent_needed' });
    expect(applied.body).to.include({ applied: true });
    expect(await without()).to.equal(200);
  });

  it('asks back before it lets most models go, and does it when that is meant', async () => {
    await start({ models: models.config(['tiny', 'other', 'embed']) });
    await writeFile(file(), textOf({ models: models.config(['tiny']) }));
    const corral = (...args: string[]) => runCorral(placeIn(folder, served.url), 'reload', ...args);

    const dry = await corral('--dry-run');
    const refused = await corral();
    expect(names()).to.have.length(3);
    const applied = await corral('--force');

    expect(dry.out).to.contain('caution: 2 of 3 models would go: other, embed');
    expect(dry.out).to.contain('To have it all the same: corral reload --force');
    expect(refused.code).to.equal(1);
    expect(refused.err).to.contain('2 of 3 models would go: other, embed');
    expect(applied.out).to.contain('- model embed').and.to.contain('Applied.');
    expect(names()).to.deep.equal(['tiny']);
  });

  it('asks back as well when their folder has gone', async () => {
    await start({ folders: [models.folder] });
    expect(names()).to.have.length(3);

    await rm(join(folder, 'none'), { force: true });
    await writeFile(file(), textOf({ folders: [join(folder, 'none')] }));

    expect(await reload()).to.deep.include({ status: 409 });
  });

  it('takes other names without asking, and fewer when most stay', async () => {
    await start({ models: models.config(['tiny', 'other']) });
    const { tiny, other } = models.config(['tiny', 'other']);

    await writeFile(file(), textOf({ models: { one: tiny, two: other } }));
    expect((await reload()).body).to.include({ applied: true });
    await writeFile(file(), textOf({ models: { one: tiny } }));
    expect((await reload()).body).to.include({ applied: true });

    expect(names()).to.deep.equal(['one']);
  });
});
