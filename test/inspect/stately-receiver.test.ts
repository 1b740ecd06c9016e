import { expect } from 'chai';
import { WebSocket, WebSocketServer } from 'ws';
import type { StatelyEvent } from '../../src/inspect/stately-events.ts';
import { keysOf } from '../support/guard.ts';
import { chat, startCorral, until, type Corral } from '../support/corral.ts';
import { writeModels, type TestModels } from '../support/models.ts';
import { freePort, startRelay, statelyInspect } from './support/stately.ts';

type Of<Type extends StatelyEvent['type']> = Extract<StatelyEvent, { type: Type }>;

const SECRET = 'a prompt that nobody else may read';

/** The status with which an upgrade is refused. */
function statusOf(socket: WebSocket): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    socket.on('unexpected-response', (_, { statusCode }) => {
      resolve(statusCode);
      socket.terminate();
    });
    socket.on('open', () => {
      socket.terminate();
      reject(new Error('It was not refused.'));
    });
    socket.on('error', () => {});
  });
}

describe("Stately's inspector on a running Corral", () => {
  let models: TestModels;
  let corral: Corral;
  let events: StatelyEvent[];
  before(async function () {
    this.timeout(30_000);
    models = await writeModels(['tiny', 'other']);
    const memory = { memory: '400MiB' };
    corral = await startCorral('embedded', {
      inspect: true,
      devices: { CPU: { memory: '500MiB' } },
      models: models.config(['tiny', 'other'], { tiny: memory, other: memory }),
    });
    events = await receive(corral);
  });
  after(async function () {
    this.timeout(30_000);
    await corral.close();
    await models.remove();
  });

  /** What the package's own receiver hears from now on. */
  async function receive({ url }: Corral): Promise<StatelyEvent[]> {
    const { createWebSocketReceiver } = await statelyInspect();
    const heard: StatelyEvent[] = [];
    createWebSocketReceiver({ server: `${url.replace('http', 'ws')}/inspect` }).subscribe((event) =>
      heard.push(event),
    );
    await until('it is told of the root', () => heard.some(({ type }) => type === '@xstate.snapshot'));
    return heard;
  }
  const ofType = <Type extends StatelyEvent['type']>(type: Type, heard = events): Of<Type>[] =>
    heard.filter((event): event is Of<Type> => event.type === type);
  const actor = (name: string, heard = events): Of<'@xstate.actor'> | undefined =>
    ofType('@xstate.actor', heard).find((one) => one.name === name);
  const valuesOf = (name: string): string[] =>
    ofType('@xstate.snapshot')
      .filter(({ sessionId }) => sessionId === actor(name)?.sessionId)
      .map(({ snapshot }) => JSON.stringify(snapshot.value));

  it('shows a load, a request and an eviction, actors before their events and in order', async () => {
    const answer = await corral.post('/v1/chat/completions', {
      ...chat('tiny'),
      messages: [{ role: 'user', content: SECRET }],
    });
    expect(answer.status).to.equal(200);
    expect((await corral.post('/v1/chat/completions', chat('other'))).status).to.equal(200);
    await until('the first is gone', () => valuesOf('runner-1').includes('"gone"'));

    expect(actor('runner-1')?.parentId).to.equal(actor('scheduler')?.sessionId);
    expect(JSON.parse(actor('runner-1')?.definition ?? '')).to.nested.include({
      id: 'runner',
      'states.alive.initial': 'loading',
    });
    const seen = valuesOf('runner-1').filter((value, i, all) => value !== all[i - 1]);
    expect(seen[0]).to.equal('{"alive":{"loading":"starting"}}');
    expect(seen.at(-1)).to.equal('"gone"');
    const known = new Set<string>();
    for (const event of events) {
      if (event.type === '@xstate.actor') known.add(event.sessionId);
      else expect(known, `${event.type} of an actor that was not told of`).to.include(event.sessionId);
    }
    const toRunner = ofType('@xstate.event')
      .filter(({ sessionId }) => sessionId === actor('runner-1')?.sessionId)
      .map(({ event }) => event.type);
    expect(
      toRunner.filter((type) => /^(process|door|runner)\./.test(type) && !/activity|listening/.test(type)),
    ).to.deep.equal([
      'process.started',
      'door.entered',
      'door.emptied',
      'runner.expire',
      'door.closed',
      'process.exited',
    ]);
    const ofModel = ofType('@xstate.event')
      .filter(({ sessionId }) => sessionId === actor('model:other')?.sessionId)
      .map(({ event }) => event.type);
    expect(ofModel).to.deep.equal([
      'requests.waiting',
      'memory.claimed',
      'memory.unclaimed',
      'process.starting',
      'process.loaded',
      'requests.none',
    ]);
    expect(actor('model:other')?.parentId).to.equal(actor('scheduler')?.sessionId);
    expect(JSON.parse(valuesOf('model:other').at(-1) ?? '')).to.include({
      requests: 'none',
      process: 'serving',
    });
    const times = events.map(({ createdAt }) => Number(createdAt));
    expect(times).to.deep.equal(times.toSorted((a, b) => a - b));
    expect(Date.now() - (times.at(-1) ?? 0)).to.be.within(-1_000, 60_000);
  }).timeout(30_000);

  it('tells a late one of each actor that lives, and where it stands', async () => {
    const late = await receive(corral);
    const { runners } = corral.status();
    await until('all are told', () => runners.every(({ id }) => actor(id, late) !== undefined));

    expect(runners.map(({ model }) => model)).to.deep.equal(['other']);
    expect(actor('runner-1', late)).to.equal(undefined);
    const id = actor('runner-2', late)?.sessionId;
    const present = ofType('@xstate.snapshot', late).find(({ sessionId }) => sessionId === id);
    expect(present?.snapshot.context).to.include({ model: 'other', wasReady: true });
    expect(present?.snapshot.value).to.have.nested.property('alive.loaded');
    const ofModel = actor('model:tiny', late)?.sessionId;
    const model = ofType('@xstate.snapshot', late).find(({ sessionId }) => sessionId === ofModel);
    expect(model?.snapshot.value).to.include({ requests: 'none', process: 'none' });
  }).timeout(30_000);

  it('tells no prompt, no key and no path', () => {
    const told = JSON.stringify(events);
    expect(told).to.include('runner-2');
    expect(told).not.to.include(SECRET);
    expect(told).not.to.include(models.folder);
    expect(told).not.to.match(/apiKey|extraArgs|baseUrl/);
  });

  it('lets no page of another origin attach', async () => {
    const socket = new WebSocket(`${corral.url.replace('http', 'ws')}/inspect`, {
      headers: { origin: 'https://example.org' },
    });

    expect(await statusOf(socket)).to.equal(403);
  });

  it('serves the page in which the hosted inspector stands', async () => {
    const page = await fetch(`${corral.url}/inspect`);
    expect(page.headers.get('content-type')).to.match(/^text\/html/);
    expect(await page.text()).to.include('<iframe src="https://stately.ai/inspect"');
  });
});

describe("a Corral that pushes to Stately's relay", () => {
  it('is seen by what is attached there', async () => {
    const { createWebSocketReceiver } = await statelyInspect();
    const relay = await startRelay();
    const corral = await startCorral('embedded', { inspect: relay.url });
    const heard: StatelyEvent[] = [];
    createWebSocketReceiver({ server: relay.url }).subscribe((event) => heard.push(event));

    await until('the scheduler is seen', () =>
      heard.some((event) => event.type === '@xstate.actor' && event.name === 'scheduler'),
    );
    await corral.close();
    relay.stop();
  }).timeout(30_000);

  it('goes on when there is none, and finds one that starts later', async () => {
    const port = await freePort();
    const corral = await startCorral('embedded', { inspect: `ws://127.0.0.1:${port}` });
    const relay = new WebSocketServer({ port, host: '127.0.0.1' });
    const first = await new Promise<StatelyEvent>((resolve) => {
      relay.on('connection', (socket) =>
        socket.once('message', (data: Buffer) => resolve(JSON.parse(data.toString()) as StatelyEvent)),
      );
    });

    expect(first).to.include({ type: '@xstate.actor', name: 'scheduler' });
    await corral.close();
    relay.close();
  }).timeout(30_000);
});

describe('a Corral that asks for keys', () => {
  let corral: Corral;
  before(async () => {
    const keys = keysOf({
      reader: { key: 'may-read', scopes: ['read'] },
      asker: { key: 'may-ask', scopes: ['inference'] },
    });
    corral = await startCorral('embedded', { inspect: true, keys });
  });
  after(() => corral.close());

  it('lets a receiver attach that has the key in its address', async () => {
    const { createWebSocketReceiver } = await statelyInspect();
    const heard: StatelyEvent[] = [];
    const server = corral.url.replace('http://', 'ws://:may-read@');
    createWebSocketReceiver({ server: `${server}/inspect` }).subscribe((event) => heard.push(event));

    await until('the scheduler is seen', () => heard.length > 0);
  });

  it('lets nobody attach without a key that may read', async () => {
    const address = `${corral.url.replace('http', 'ws')}/inspect`;

    expect(await statusOf(new WebSocket(address))).to.equal(401);
    expect(await statusOf(new WebSocket(address.replace('//', '//:wrong@')))).to.equal(401);
    expect(await statusOf(new WebSocket(address.replace('//', '//:may-ask@')))).to.equal(403);
  });
});

describe('a Corral that is not inspected', () => {
  it('has neither the WebSocket nor the page', async () => {
    const corral = await startCorral('embedded', {});
    const { status } = await fetch(`${corral.url}/inspect`);
    const answered = await statusOf(new WebSocket(`${corral.url.replace('http', 'ws')}/inspect`));
    await corral.close();

    expect(status).to.equal(404);
    expect(answered).to.equal(404);
  }).timeout(30_000);
});
