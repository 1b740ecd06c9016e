import { expect } from 'chai';
import { WebSocket } from 'ws';
import { connect, type CorralClient } from '../../src/client/client.ts';
import { until } from '../support/corral.ts';
import { startPoolServer, type PoolServer } from './support/pool-server.ts';
import { RawReader } from './support/raw-reader.ts';

describe('a reader who comes back', () => {
  let served: PoolServer;
  beforeEach(async () => (served = await startPoolServer()));
  afterEach(() => served.close());

  const follow = async (after?: number): Promise<RawReader> => {
    const reader = await RawReader.open(served.url);
    await reader.ask({ type: 'subscribe', id: '1', topic: 'runners', after });
    await reader.settle();
    return reader;
  };
  const lastSeq = (reader: RawReader): number =>
    Math.max(...reader.messages.map((message) => ('seq' in message ? message.seq : 0)));
  /** Something happens to the runners, `times` times. */
  const happen = (times: number): void => {
    const [a] = served.specs;
    for (let i = 0; i < times; i++) {
      if (a) served.pool.request(a, { runMs: 10 });
      served.pool.advance(i === 0 ? 10_000 : 100);
    }
  };

  it('gets what has changed meanwhile, as changes', async () => {
    const first = await follow();
    const seq = lastSeq(first);
    const other = await follow();
    happen(3);
    await other.settle();
    const second = await follow(seq);

    expect(second.of('snapshot')).to.have.length(0);
    expect(second.of('reply')[0]).to.deep.include({ result: { seq: lastSeq(other), resumed: true } });
    expect(second.of('change')).to.deep.equal(other.of('change'));
  });

  it('gets all of it in one change when nobody else was there', async () => {
    const first = await follow();
    first.socket.terminate();
    await until('its end is noticed', () => served.api.counts.connections === 0);
    happen(3);
    const second = await follow(lastSeq(first));

    expect(second.of('snapshot')).to.have.length(0);
    expect(second.of('change')).to.have.length(1);
  });

  it('gets nothing when nothing has changed', async () => {
    const first = await follow();
    const second = await follow(lastSeq(first));

    expect(second.messages.map(({ type }) => type)).to.deep.equal(['hello', 'reply', 'pong']);
  });

  it('gets a new snapshot when the changes are not there any more', async () => {
    const first = await follow();
    happen(300);
    await first.settle();
    const second = await follow(first.of('snapshot')[0]?.seq);

    expect(second.of('change')).to.have.length(0);
    expect(second.of('snapshot')[0]).to.include({ reset: true, seq: lastSeq(first) });
    expect(second.picture('runners')).to.deep.equal(first.picture('runners'));
  });

  it('gets a new snapshot for a seq that never was', async () => {
    const reader = await follow(1_000_000);

    expect(reader.of('snapshot')[0]).to.include({ reset: true });
  });

  it('gets a new snapshot when the topic has been forgotten meanwhile', async () => {
    const first = await follow();
    first.socket.terminate();
    await until('its end is noticed', () => served.api.counts.connections === 0);
    served.pool.advance(100_000);
    const second = await follow(lastSeq(first));

    expect(second.of('snapshot')[0]).to.include({ reset: true });
  });
});

describe('a client whose connection is lost', () => {
  let served: PoolServer;
  let client: CorralClient;
  const sockets: WebSocket[] = [];
  /** What came in, over all connections. */
  const heard: string[] = [];
  class Noted extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols);
      sockets.push(this);
      this.on('message', (data: Buffer) =>
        heard.push((JSON.parse(data.toString()) as { type: string }).type),
      );
    }
  }
  beforeEach(async () => {
    served = await startPoolServer();
    client = connect(served.url, { WebSocket: Noted, retryMs: { first: 1, most: 10 } });
    await client.opened();
  });
  afterEach(async () => {
    client.close();
    await served.close();
    sockets.length = heard.length = 0;
  });

  const runnersOf = () => {
    const seen: string[][] = [];
    client.subscribe('runners', {}, (runners) =>
      seen.push(runners.map(({ model, state }) => `${model} ${state}`)),
    );
    return seen;
  };

  it('connects again and goes on where it was', async () => {
    const states: string[] = [];
    client.onState((state) => states.push(state));
    const seen = runnersOf();
    await until('the snapshot is here', () => seen.length === 1);
    sockets[0]?.terminate();
    const [a] = served.specs;
    if (a) served.pool.request(a);
    served.pool.advance(10_000);
    await until('it has caught up', () => seen.at(-1)?.[0] === 'a ready');

    expect(states).to.deep.equal(['waiting', 'connecting', 'open']);
    expect(heard.filter((type) => type === 'snapshot')).to.have.length(1);
  });

  it('begins anew with another run of Corral', async () => {
    const [a] = served.specs;
    if (a) served.pool.request(a);
    served.pool.advance(10_000);
    const seen = runnersOf();
    await until('the snapshot is here', () => seen.length === 1);
    const { port } = served;
    await served.close();
    served = await startPoolServer({}, undefined, port);
    await until('it has the new picture', () => seen.at(-1)?.length === 0);

    expect(heard.filter((type) => type === 'snapshot')).to.have.length(2);
  });

  it('rejects commands that were under way, and those given meanwhile', async () => {
    const load = client.command('model.load', { model: 'a', wait: true }).catch((error: unknown) => error);
    sockets[0]?.terminate();
    expect(await load).to.have.nested.property('problem.code', 'connection_lost');
    const other = await client.command('model.load', { model: 'a' }).catch((error: unknown) => error);

    expect(other).to.have.nested.property('problem.code', 'not_connected');
  });

  it('notices a server that says nothing any more', async () => {
    const deaf = connect(served.url, { WebSocket: Noted, retryMs: { first: 1, most: 10 }, heartbeatMs: 50 });
    await deaf.opened();
    const states: string[] = [];
    deaf.onState((state) => states.push(state));
    // The connection stays; nothing comes over it.
    sockets.at(-1)?.pause();
    await until('it has connected anew', () => states.includes('open'));
    deaf.close();

    expect(states.slice(0, 3)).to.deep.equal(['waiting', 'connecting', 'open']);
  });
});
