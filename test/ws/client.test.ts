import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { WebSocket } from 'ws';
import { connect, CorralError, type CorralClient } from '../../src/client/client.ts';
import { until } from '../support/corral.ts';
import { aGuard, keysOf } from '../support/guard.ts';
import { startPoolServer, type PoolServer } from './support/pool-server.ts';

describe('the client', () => {
  let served: PoolServer;
  let client: CorralClient;
  beforeEach(async () => {
    served = await startPoolServer();
    client = connect(served.url, { WebSocket });
    await client.opened();
  });
  afterEach(async () => {
    client.close();
    await served.close();
  });
  const refusal = (promise: Promise<unknown>): Promise<CorralError['problem']> =>
    promise.then(
      () => expect.fail('not refused'),
      (error: unknown) => (error as CorralError).problem,
    );

  it('knows whom it speaks to', () => {
    expect(client.hello).to.include({ version: '1.2.3' });
  });

  it('loads, pins, stops and unloads', async () => {
    const loading = client.command('model.load', { model: 'a', wait: true });
    await until('the load is begun', () => served.pool.states().length === 1);
    served.pool.advance(10_000);
    expect((await loading).runners).to.deep.equal(['runner-1']);

    const pinned = await client.command('model.pin', { model: 'a-alias', pinned: true, keepAlive: '1h' });
    expect(pinned.options).to.include({ pinned: true, keepAliveMs: 3_600_000 });

    const stopped = await client.command('runner.stop', { runnerId: 'runner-1', force: true });
    expect(stopped.id).to.equal('runner-1');
    served.pool.advance(10_000);

    await client.command('model.load', { model: 'b' });
    served.pool.advance(10_000);
    const unloaded = await client.command('model.unload', { model: 'b', drainMs: 0 });
    expect(unloaded.name).to.equal('b');
    served.pool.advance(10_000);
    expect(served.pool.states().filter((state) => state.startsWith('b'))).to.deep.equal([]);
  });

  it('says what is refused as the management API does', async () => {
    expect(await refusal(client.command('model.load', { model: 'aa' }))).to.deep.include({
      status: 404,
      code: 'model_not_found',
    });
    expect(await refusal(client.command('runner.stop', { runnerId: 'runner-9' }))).to.include({
      code: 'runner_not_found',
    });
    expect(await refusal(client.command('model.unload', { model: 'a' }))).to.include({ code: 'not_loaded' });
    const odd = client.command('model.pin', { model: 'a', pinned: true, keepAlive: 'a while' });
    expect((await refusal(odd)).detail).to.include('keepAlive');
    expect(await refusal(client.command('model.load', { model: 1 } as never))).to.include({ status: 400 });
  });

  it('tells why a topic cannot be followed', async () => {
    const problems: string[] = [];
    client.subscribe(
      'log',
      { model: 'zzz' },
      () => {},
      ({ problem }) => problems.push(problem.code),
    );
    await until('it is refused', () => problems.length > 0);

    expect(problems).to.deep.equal(['model_not_found']);
  });

  it('subscribes once for all who follow the same, and tells late ones at once', async () => {
    const seen: string[] = [];
    const stop = client.subscribe('runners', {}, () => seen.push('first'));
    await until('the snapshot is here', () => seen.length === 1);
    const stopOther = client.subscribe('runners', {}, () => seen.push('second'));
    expect(seen).to.deep.equal(['first', 'second']);

    stop();
    await client.command('model.load', { model: 'a' });
    served.pool.advance(100);
    await until('a change is here', () => seen.length === 3);
    expect(seen[2]).to.equal('second');

    stopOther();
    await client.command('model.load', { model: 'b' });
    served.pool.advance(100_000);
    expect(served.api.counts.feeds).to.equal(0);
    expect(seen).to.have.length(3);
  });

  it('can follow what it has left', async () => {
    for (let i = 0; i < 3; i++) {
      let seen = 0;
      const stop = client.subscribe('runners', {}, () => seen++);
      if (i !== 1) await until('the snapshot is here', () => seen > 0);
      stop();
    }
  });

  it('shows its key', async () => {
    const key = 'schlüssel/+=';
    const guard = aGuard({ keys: keysOf({ reader: { key, scopes: ['read'] } }) });
    const other = await startPoolServer({ guard });
    const keyed = connect(other.url, { WebSocket, key });
    await keyed.opened();
    const forbidden = await refusal(keyed.command('model.load', { model: 'a' }));
    keyed.close();
    await other.close();

    expect(forbidden).to.include({ code: 'forbidden' });
  });

  it('waits longer between tries, until it is closed', async () => {
    await served.close();
    await until('the end is noticed', () => client.state === 'waiting');
    const opened = refusal(client.opened());
    client.close();

    expect(client.state).to.equal('closed');
    expect(await opened).to.include({ code: 'not_connected' });
    served = await startPoolServer();
  });

  it('says so when there is no WebSocket, or no address', () => {
    expect(() => connect('nowhere', { WebSocket })).to.throw(TypeError);
    if ('WebSocket' in globalThis) return;
    expect(() => connect(served.url)).to.throw(/WebSocket/);
  });

  it('loads nothing that only Node has, and no library', () => {
    const seen = new Set<string>();
    const visit = (url: URL): void => {
      if (seen.has(url.href)) return;
      seen.add(url.href);
      const source = readFileSync(url, 'utf8');
      for (const [, clause = '', path = ''] of source.matchAll(
        /^(?:import|export) ([^;]*?) from '([^']+)';/gms,
      )) {
        if (clause.startsWith('type ')) continue;
        expect(path, `${url.pathname} imports`).to.match(/^\.\.?\//);
        visit(new URL(path, url));
      }
    };
    visit(new URL('../../src/client/client.ts', import.meta.url));

    expect(seen.size).to.equal(5);
  });
});
