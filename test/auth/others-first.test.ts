import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { request } from 'undici';
import { requestPriority } from '../../src/request-priority.ts';
import { chat, startCorral, until, type Corral } from '../support/corral.ts';
import { keysOf } from '../support/guard.ts';
import { writeModels, type TestModels } from '../support/models.ts';

const fake = fileURLToPath(new URL('../fixtures/fake-llama-server.mjs', import.meta.url));

interface Answer {
  readonly status: number;
  readonly text: string;
}

describe('a key for inference', function () {
  this.timeout(60_000);
  let models: TestModels;
  let corral: Corral;
  let mark: string;
  before(async () => {
    models = await writeModels(['tiny', 'other']);
    mark = join(models.folder, 'answer-now');
    corral = await startCorral('llama-server', {
      llamaServer: fake,
      defaults: { slots: 1 },
      models: models.config(['tiny', 'other'], {
        tiny: { args: ['--fake', 'holds', '--mark', mark] },
        other: { pin: true },
      }),
      keys: keysOf({
        one: { key: 'k-one', scopes: ['inference'] },
        two: { key: 'k-two', scopes: ['inference'] },
        first: { key: 'k-first', scopes: ['inference'], priority: 'interactive' },
      }),
    });
  });
  beforeEach(() => rmSync(mark, { force: true }));
  after(async () => {
    await corral.close();
    await models.remove();
  });

  const send = async (
    key: string,
    path: string,
    body: object,
    headers: Record<string, string> = {},
  ): Promise<Answer> => {
    const { statusCode, body: reply } = await request(corral.url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, ...headers },
      body: JSON.stringify(body),
    });
    return { status: statusCode, text: await reply.text() };
  };
  const runnersOf = (model: string): number =>
    corral.status().runners.filter((runner) => runner.model === model).length;
  const waiting = (): number => corral.leases.counts.waiting;
  const held = (): number => corral.leases.counts.held;

  it('does not unload what is pinned, nor undo the pin', async () => {
    await until('the pinned model is loaded', () =>
      corral.status().runners.some(({ state }) => state === 'idle'),
    );

    for (const path of ['/api/generate', '/api/chat']) {
      const { status, text } = await send('k-one', path, { model: 'other', keep_alive: 0 });
      expect(status).to.equal(409);
      expect(text).to.match(/^\{"error":"other is pinned and stays loaded; .*corral unload other"\}$/);
    }
    const answered = await send('k-one', '/api/chat', { ...chat('other'), stream: false, keep_alive: 0 });

    expect(answered.status).to.equal(200);
    expect(corral.status().runners.find(({ model }) => model === 'other')).to.include({
      pinned: true,
      state: 'idle',
    });
  });

  it('has a model unloaded only when those who wait for it have been served', async () => {
    const running = send('k-one', '/v1/chat/completions', chat('tiny'));
    await until('the first is served', () => held() === 1);
    const next = send('k-one', '/v1/chat/completions', chat('tiny'));
    await until('the second waits', () => waiting() === 1);
    const unloading = send('k-two', '/api/generate', { model: 'tiny', keep_alive: 0 });
    await until('the unloading waits as well', () => waiting() === 2);

    writeFileSync(mark, '');

    for (const answer of [running, next, unloading]) expect((await answer).status).to.equal(200);
    expect((await unloading).text).to.contain('"done_reason":"unload"');
    await until('it is gone', () => runnersOf('tiny') === 0);
  });

  it('comes after those who were there, whatever it asks for, unless it is given more', async () => {
    const order: string[] = [];
    const ask = async (name: string, key: string, priority?: string): Promise<void> => {
      const headers: Record<string, string> = priority ? { 'x-corral-priority': priority } : {};
      const { status } = await send(key, '/v1/chat/completions', chat('tiny'), headers);
      expect(status).to.equal(200);
      order.push(name);
    };
    const asked = [ask('running', 'k-one')];
    await until('the first is served', () => held() === 1);
    for (const [name, key, priority] of [
      ['was there', 'k-one'],
      ['pushes', 'k-two', 'interactive'],
      ['steps back', 'k-two', 'batch'],
      ['may push', 'k-first'],
    ] as const) {
      const before = waiting();
      asked.push(ask(name, key, priority));
      await until('it waits', () => waiting() === before + 1);
    }
    expect(existsSync(mark)).to.equal(false);

    writeFileSync(mark, '');
    await Promise.all(asked);

    expect(order).to.deep.equal(['running', 'may push', 'was there', 'pushes', 'steps back']);
  });
});

describe('the place of a request in line', () => {
  for (const [wish, model, standing, place] of [
    [undefined, undefined, undefined, 'normal'],
    ['interactive', undefined, undefined, 'interactive'],
    ['interactive', undefined, { priority: null }, 'normal'],
    ['interactive', 'batch', { priority: null }, 'batch'],
    ['normal', 'interactive', { priority: null }, 'normal'],
    [undefined, 'interactive', { priority: null }, 'interactive'],
    [undefined, 'interactive', { priority: 'batch' }, 'batch'],
    ['normal', undefined, { priority: 'interactive' }, 'normal'],
    [undefined, 'batch', { priority: 'interactive' }, 'interactive'],
  ] as const)
    it(`is ${place}: wish ${wish}, model ${model}, key ${standing ? standing.priority : 'manages, or none'}`, () =>
      expect(requestPriority(wish, model, standing)).to.equal(place));
});
