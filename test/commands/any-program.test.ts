import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { startCorral, until, type Corral } from '../support/corral.ts';

const program = fileURLToPath(new URL('../fixtures/any-server.mjs', import.meta.url));

/** What the program tells of a request. */
interface Seen {
  readonly path: string;
  readonly method: string;
  readonly authorization: string;
  readonly body: string;
  readonly pid: number;
  readonly folder: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const command = (...more: string[]): string[] => [process.execPath, program, '--port', '{port}', ...more];
const common = { memory: '64MiB', placement: 'cpu-only', ready: { path: '/well', status: 204 } };

describe('a model that any program serves', function () {
  this.timeout(30_000);
  let corral: Corral;
  const start = async (models: object, rest: object = {}): Promise<void> => {
    corral = await startCorral('embedded', { models, ...rest });
  };
  afterEach(() => corral.close());

  const ask = async (path: string, body: object): Promise<Seen> => {
    const { status, text } = await corral.post(path, body);
    expect(status, text).to.equal(200);
    return JSON.parse(text) as Seen;
  };
  const chat = (model: string): object => ({ model, messages: [{ role: 'user', content: 'hi' }] });
  const states = async (): Promise<unknown> => corral.status().runners.map(({ state }) => state);

  it('is started for the first request, with its place, its environment and what stands in braces filled in', async () => {
    await start({
      any: {
        ...common,
        command: command('--model', '{model}', '--as', '{name}', '--on={device}', '{"json": {}}'),
        path: 'Qwen/Qwen3-8B',
        folder: '/',
        env: { MODEL_NAME: '{name}', PARALLEL: '{slots}' },
        slots: 3,
      },
    });

    const seen = await ask('/v1/chat/completions', chat('any'));

    const port = seen.args[1];
    const rest = ['--model', 'Qwen/Qwen3-8B', '--as', 'any', '--on=CPU', '{"json": {}}'];
    expect(seen.args).to.deep.equal(['--port', port, ...rest]);
    expect(Number(port)).to.be.above(1023);
    expect(seen.folder).to.equal('/');
    expect(seen.env).to.include({ MODEL_NAME: 'any', PARALLEL: '3', CUDA_VISIBLE_DEVICES: '' });
    expect(Object.keys(seen.env).filter((one) => one.startsWith('CORRAL_'))).to.deep.equal(['CORRAL_RUNNER']);
    expect(await states()).to.deep.equal(['idle']);
  });

  it('is asked under the name that it knows, with the key that it may ask for', async () => {
    await start({
      plain: { ...common, command: command(), aliases: ['short'] },
      other: { ...common, command: command('--key', '{key}'), calledAs: 'org/other' },
    });

    const body = { ...chat('short'), temperature: 0.5 };
    expect(JSON.parse((await ask('/v1/chat/completions', body)).body)).to.deep.equal({
      ...body,
      model: 'plain',
    });
    const exact = await ask('/v1/chat/completions', chat('plain'));
    expect(exact.body).to.equal(JSON.stringify(chat('plain')));
    const seen = await ask('/chat/completions', chat('other'));
    expect(JSON.parse(seen.body)).to.include({ model: 'org/other' });
    expect(seen.path).to.equal('/v1/chat/completions');
    expect(seen.authorization).to.equal(`Bearer ${seen.args.at(-1)}`);
  });

  it('is asked only for what it serves, and then for whatever that is', async () => {
    await start({
      speech: { ...common, command: command(), paths: ['/v1/audio/speech', '/sdapi/*'] },
      chatty: { ...common, command: command() },
    });

    const refused = await corral.post('/v1/chat/completions', chat('speech'));
    expect(refused.status).to.equal(404);
    expect(refused.text).to.include(
      'speech does not serve /v1/chat/completions: it serves /v1/audio/speech, /sdapi/*',
    );
    expect(await states()).to.deep.equal([]);

    expect(await ask('/v1/audio/speech', { model: 'speech', input: 'hi' })).to.include({
      path: '/v1/audio/speech',
    });
    // Its clients name no model: the one that serves the path is meant.
    expect(await ask('/sdapi/v1/txt2img?fast=1', { prompt: 'a dog' })).to.include({
      path: '/sdapi/v1/txt2img?fast=1',
      body: '{"prompt":"a dog"}',
    });
    expect(await ask('/v1/images/generations', { model: 'chatty' })).to.include({
      path: '/v1/images/generations',
    });
    expect((await corral.post('/elsewhere', { model: 'chatty' })).status).to.equal(404);
  });

  it('serves clients of Ollama as well, by its chats', async () => {
    await start({ any: { ...common, command: command() } });

    const { text } = await corral.post('/api/chat', { ...chat('any'), stream: false });

    // The reply is none of a chat; what counts is what was asked.
    expect(text).to.be.a('string');
    expect(corral.status().runners).to.have.length(1);
  });

  it('is unloaded and evicted like any other', async () => {
    await start(
      {
        one: { ...common, command: command() },
        two: { ...common, command: command() },
      },
      { devices: { CPU: { memory: '100MiB' } } },
    );

    const first = await ask('/v1/completions', { model: 'one' });
    const second = await ask('/v1/completions', { model: 'two' });

    expect(second.pid).to.not.equal(first.pid);
    await until('only the second is there', () => corral.status().runners.length === 1);
    expect(() => process.kill(first.pid, 0)).to.throw();
    expect((await corral.post('/api/v1/models/two/unload', {})).status).to.be.within(200, 204);
    await until('none is there', () => corral.status().runners.length === 0);
  });

  it('says why it could not be started, and what it said before it broke', async () => {
    await start({
      absent: { ...common, command: ['/nowhere/vllm', '--port', '{port}'] },
      broken: { ...common, command: command('--dies') },
      slow: { ...common, command: command('--not-ready'), limits: { load: '1s' } },
    });

    const absent = await corral.post('/v1/completions', { model: 'absent' });
    expect(absent.text).to.include('/nowhere/vllm cannot be run. Check models.absent.command in corral.yaml');
    const broken = await corral.post('/v1/completions', { model: 'broken' });
    expect(broken.text)
      .to.include('broken crashed: its process ended with exit code 3')
      .and.include('flux capacitor');
    const slow = await corral.post('/v1/completions', { model: 'slow' });
    expect(slow.status).to.equal(504);
    expect(slow.text).to.include('slow was not ready after 1 s');
  });

  it('is killed when it does not end within its own time', async () => {
    await start({
      stubborn: { ...common, command: command('--refuses-to-end'), limits: { terminate: '200ms' } },
    });
    const { pid } = await ask('/v1/completions', { model: 'stubborn' });

    await corral.post('/api/v1/models/stubborn/unload', {});

    await until('it has gone', () => corral.status().runners.length === 0);
    expect(() => process.kill(pid, 0)).to.throw();
  });

  it('is not asked for what only a llama-server has', async () => {
    await start({ any: { ...common, command: command() } });
    await ask('/v1/completions', { model: 'any' });

    const lines = corral.logs.tail(corral.status().runners[0]?.id ?? '', 100);

    expect(lines.join('\n')).to.include('at your service').and.not.include('asked for');
  });
});
