import { expect } from 'chai';
import { request } from 'undici';
import { chat, startCorral, until, type Corral } from '../support/corral.ts';
import { keysOf } from '../support/guard.ts';
import { writeModels, type TestModels } from '../support/models.ts';

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly json: () => Record<string, unknown>;
}

/** What comes of a stream until it is closed. */
class Reading {
  text = '';
  hasEnded = false;
  readonly #gone = new AbortController();

  static async of(url: string, headers: Record<string, string> = {}): Promise<Reading> {
    const reading = new Reading();
    const { body } = await request(url, { headers, signal: reading.#gone.signal });
    body.on('data', (chunk: Buffer) => (reading.text += chunk.toString())).on('error', () => {});
    body.on('end', () => (reading.hasEnded = true));
    return reading;
  }

  close(): void {
    this.#gone.abort();
  }
}

describe('what clients of other servers ask', function () {
  this.timeout(60_000);
  let models: TestModels;
  let corral: Corral;
  before(async () => {
    models = await writeModels(['tiny', 'other']);
  });
  beforeEach(async () => {
    corral = await startCorral('embedded', {
      models: models.config(['tiny', 'other'], { tiny: { aliases: ['small'], keepAlive: '90s' } }),
    });
  });
  afterEach(() => corral.close());
  after(() => models.remove());

  const send = async (method: string, path: string, body?: object): Promise<Answer> => {
    const reply = await fetch(corral.url + path, { method, ...(body && { body: JSON.stringify(body) }) });
    const text = await reply.text();
    return { status: reply.status, text, json: () => JSON.parse(text) };
  };
  const stateOf = (model: string): string | undefined =>
    corral.status().runners.find((runner) => runner.model === model)?.state;

  describe("of llama.cpp's router", () => {
    it('is what it is, where no model is named', async () => {
      const { status, json } = await send('GET', '/props');

      expect(status).to.equal(200);
      expect(json()).to.include({ role: 'router', models_autoload: true, max_instances: 0 });
    });

    it('is a model to be loaded, under any of its names, and how far it is', async () => {
      const statusOf = async (): Promise<unknown> =>
        ((await send('GET', '/models')).json()['data'] as { id: string; status: object }[]).find(
          ({ id }) => id === 'tiny',
        )?.status;

      expect(await statusOf()).to.deep.equal({ value: 'unloaded' });
      expect(await send('POST', '/models/load', { model: 'Small:latest' })).to.include({
        status: 200,
        text: '{"success":true}',
      });
      expect(await statusOf()).to.deep.equal({ value: 'loaded' });
      expect((await send('POST', '/models/load', { model: 'tiny' })).status).to.equal(200);
    });

    it('is a model to be unloaded; one that is not loaded is a 400', async () => {
      await send('POST', '/models/load', { model: 'tiny' });

      expect((await send('POST', '/models/unload', { model: 'small' })).text).to.equal('{"success":true}');
      await until('it is gone', () => stateOf('tiny') === undefined);

      const again = await send('POST', '/models/unload', { model: 'tiny' });
      expect(again.status).to.equal(400);
      expect(again.json()['error']).to.include({ code: 400, type: 'invalid_request_error' });
    });

    it('is each change of a status, as events', async () => {
      const reading = await Reading.of(`${corral.url}/models/sse`);
      const told = (): unknown[] =>
        reading.text
          .split('\n')
          .filter((line) => line.startsWith('data: '))
          .map((line) => JSON.parse(line.slice('data: '.length)));

      await send('POST', '/models/load', { model: 'tiny' });
      await send('POST', '/models/unload', { model: 'tiny' });
      await until('it is gone', () => told().length >= 3);

      expect(told()).to.deep.equal(
        ['loading', 'loaded', 'unloaded'].map((status) => ({
          model: 'tiny',
          event: 'model_status',
          data: { status },
        })),
      );
      reading.close();
    });

    it('is a 404 for a model that there is not, and a 400 for none', async () => {
      for (const path of ['/models/load', '/models/unload']) {
        expect((await send('POST', path, { model: 'none' })).status).to.equal(404);
        expect((await send('POST', path, {})).status).to.equal(400);
        expect((await send('POST', path, { model: 7 })).status).to.equal(400);
      }
    });
  });

  describe('of llama-swap', () => {
    it('is what runs', async () => {
      expect((await send('GET', '/running')).json()).to.deep.equal({ running: [] });
      await corral.post('/v1/chat/completions', chat('tiny'));

      expect((await send('GET', '/running')).json()).to.deep.equal({
        running: [{ model: 'tiny', state: 'ready', cmd: '', proxy: '', ttl: 90, name: '', description: '' }],
      });
    });

    for (const [title, method, path, left] of [
      ['everything, by GET', 'GET', '/unload', []],
      ['everything, by POST', 'POST', '/api/models/unload', []],
      ['one model', 'POST', '/api/models/unload/Small', ['other']],
    ] as const)
      it(`is to unload ${title}`, async () => {
        for (const model of ['tiny', 'other']) await corral.post('/v1/chat/completions', chat(model));

        expect(await send(method, path)).to.include({ status: 200, text: 'OK' });

        await until('it is gone', () => stateOf('tiny') === undefined);
        await until('no more than that', () =>
          corral.status().runners.every(({ model }) => (left as readonly string[]).includes(model)),
        );
        expect(corral.status().runners.map(({ model }) => model)).to.deep.equal(left);
      });

    it('is not to unload anything by HEAD', async () => {
      await corral.post('/v1/chat/completions', chat('tiny'));

      expect((await send('HEAD', '/unload')).status).to.equal(405);
      expect(stateOf('tiny')).to.equal('idle');
    });

    it('is what was decided and printed', async () => {
      await corral.post('/v1/chat/completions', chat('tiny'));

      const { text } = await send('GET', '/logs');

      expect(text)
        .to.match(/^\[corral\] tiny: .+$/m)
        .and.to.match(/^\[runner-1\] .+$/m);
    });

    it('is the same as it comes, of everything or of a part', async () => {
      await corral.post('/v1/chat/completions', chat('tiny'));
      const all = await Reading.of(`${corral.url}/logs/stream?no-history`);
      const ofOther = await Reading.of(`${corral.url}/logs/stream/other`);
      const ofCorral = await Reading.of(`${corral.url}/logs/stream/proxy`);

      await corral.post('/v1/chat/completions', chat('other'));

      await until('the new runner prints', () => all.text.includes('[runner-2]'));
      await until('and is followed alone', () => ofOther.text.includes('[runner-2]'));
      expect(all.text).to.contain('[corral] other').and.to.not.contain('[runner-1]');
      expect(ofOther.text).to.not.match(/\[(runner-1|corral)\]/);
      expect(ofCorral.text).to.contain('[corral] tiny').and.to.not.contain('[runner-');
      for (const reading of [all, ofOther, ofCorral]) reading.close();
      expect((await send('GET', '/logs/stream/none')).status).to.equal(404);
    });

    it('is each change of a state, as events', async () => {
      const reading = await Reading.of(`${corral.url}/api/events`);
      const events = (): { type: string; data: string }[] =>
        reading.text
          .split('\n')
          .filter((line) => line.startsWith('data: '))
          .map((line) => JSON.parse(line.slice('data: '.length)));
      const statesOf = (model: string): string[] =>
        events()
          .filter(({ type }) => type === 'modelStatus')
          .map(
            ({ data }) =>
              (JSON.parse(data) as { id: string; state: string }[]).find(({ id }) => id === model)?.state ??
              '',
          );

      await until('it begins', () => events().length > 0);
      await corral.post('/v1/chat/completions', chat('tiny'));
      await until('it is ready', () => statesOf('tiny').includes('ready'));
      await send('GET', '/unload');
      await until('it is gone', () => statesOf('tiny').at(-1) === 'stopped');

      expect(new Set(statesOf('tiny'))).to.deep.equal(new Set(['stopped', 'starting', 'ready', 'stopping']));
      expect(new Set(statesOf('other'))).to.deep.equal(new Set(['stopped']));
      const logged = events().filter(({ type }) => type === 'logData');
      expect(new Set(logged.map(({ data }) => JSON.parse(data).source))).to.deep.equal(
        new Set(['proxy', 'upstream']),
      );
      reading.close();
    });

    it('ends with Corral', async () => {
      const reading = await Reading.of(`${corral.url}/api/events`);
      await until('it begins', () => reading.text !== '');

      await corral.stop(0);

      await until('it has ended', () => reading.hasEnded);
    });
  });

  describe('of LM Studio', () => {
    it('is the models, and one', async () => {
      await corral.post('/v1/chat/completions', chat('tiny'));
      const list = (await send('GET', '/api/v0/models')).json()['data'] as Record<string, unknown>[];

      expect(list.map(({ id, state }) => [id, state])).to.deep.equal([
        ['tiny', 'loaded'],
        ['small', 'loaded'],
        ['other', 'not-loaded'],
      ]);
      const one = (await send('GET', '/api/v0/models/tiny')).json();
      expect(one).to.deep.equal(list[0]);
      expect(one).to.include({
        object: 'model',
        type: 'llm',
        compatibility_type: 'gguf',
        max_context_length: 512,
        loaded_context_length: 512,
      });
      expect((await send('GET', '/api/v0/models/none')).status).to.equal(404);
    });

    it('is served by the paths of OpenAI', async () => {
      const { status, body } = await corral.post('/api/v0/chat/completions', chat('tiny'));

      expect(status).to.equal(200);
      expect(body).to.have.nested.property('choices[0].message.content', ' this is tiny speaking');
    });
  });

  describe('in the bodies of OpenAI', () => {
    const ttlOf = async (): Promise<unknown> =>
      ((await send('GET', '/running')).json()['running'] as { ttl: number }[])[0]?.ttl;

    for (const [title, wish, ttl] of [
      ['keep_alive in seconds', { keep_alive: 20 }, 20],
      ['keep_alive as text', { keep_alive: '2m' }, 120],
      ['keep_alive for ever', { keep_alive: -1 }, 0],
      ['ttl', { ttl: 30 }, 30],
      ['keep_alive before ttl', { ttl: 30, keep_alive: '40s' }, 40],
      ['null, which says nothing', { keep_alive: null, ttl: null }, 90],
    ] as const)
      it(`is ${title}`, async () => {
        const { status } = await corral.post('/v1/chat/completions', chat('tiny', wish));

        expect(status).to.equal(200);
        expect(await ttlOf()).to.equal(ttl);
      });

    it('is to be gone at once', async () => {
      expect((await corral.post('/v1/chat/completions', chat('tiny', { keep_alive: 0 }))).status).to.equal(
        200,
      );
      await until('it is gone', () => stateOf('tiny') === undefined);
    });

    it('is refused when it is no length of time', async () => {
      const { status, body } = await corral.post(
        '/v1/chat/completions',
        chat('tiny', { keep_alive: 'soon' }),
      );

      expect(status).to.equal(400);
      expect(body['error']).to.include({ param: 'keep_alive', code: 'invalid_value' });
    });
  });
});

describe('a key for inference, at what other servers are asked', function () {
  this.timeout(60_000);

  it('loads, looks, and neither unloads nor undoes a pin', async () => {
    const models = await writeModels(['tiny', 'other']);
    const corral = await startCorral('embedded', {
      models: models.config(['tiny', 'other'], { other: { pin: true } }),
      keys: keysOf({ one: { key: 'k-one', scopes: ['inference'] } }),
    });
    const headers = { authorization: 'Bearer k-one' };
    const send = async (method: string, path: string, body = '{}'): Promise<number> =>
      (await fetch(corral.url + path, { method, headers, ...(method === 'POST' && { body }) })).status;
    const pinned = () => corral.status().runners.find(({ model }) => model === 'other');
    await until('the pinned one is loaded', () => pinned()?.state === 'idle');

    expect(await send('POST', '/models/load', '{"model":"tiny"}')).to.equal(200);
    expect(await send('GET', '/running')).to.equal(200);
    for (const [method, path] of [
      ['POST', '/models/unload'],
      ['GET', '/unload'],
      ['POST', '/api/models/unload'],
      ['POST', '/api/models/unload/other'],
      ['GET', '/logs'],
      ['GET', '/api/events'],
    ] as const)
      expect(await send(method, path, '{"model":"other"}'), path).to.equal(403);
    const body = JSON.stringify(chat('other', { keep_alive: 0 }));
    expect(await send('POST', '/v1/chat/completions', body)).to.equal(200);

    expect(pinned()).to.include({ pinned: true, state: 'idle' });
    expect(corral.status().runners).to.have.length(2);
    await corral.close();
    await models.remove();
  });
});
