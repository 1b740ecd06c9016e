import { expect } from 'chai';
import type { ConfigChange } from '../../machines/scheduler/contract.ts';
import { aGpu, aModel, GIB, Pool, settings } from '../support/pool.ts';

const g24 = [aGpu('CUDA0', 24)];

/** The model with other launch options: another class. */
const otherwise = (name: string, gib: number, over: Parameters<typeof aModel>[2] = {}) =>
  aModel(name, gib, { classKey: `${name}@otherwise`, context: 8_192, ...over });

const reload = (pool: Pool, change: Partial<ConfigChange>): void =>
  pool.scheduler.send({
    type: 'config.changed',
    change: { settings: settings(), changed: [], removed: [], preload: [], ...change },
  });

describe('a new configuration', () => {
  it('lets a changed model finish its leases on the old runner, and serves whoever waits on a new one', () => {
    const pool = new Pool({ devices: g24 });
    const running = pool.request(aModel('a', 10), { runMs: 10_000 });
    pool.advance(6_000);
    const waiting = pool.request(aModel('a', 10), { runMs: 100 });

    reload(pool, { changed: [otherwise('a', 10)] });
    expect(pool.states()).to.deep.equal(['a expiring']);
    pool.advance(60_000);

    expect(running.lost).to.equal(undefined);
    expect(waiting.runnerId).to.equal('runner-2');
    expect(pool.ledger.runners.get('runner-2')?.spec.launch.contextTokens).to.equal(8_192);
  });

  it('does not touch the runners of models that are as they were', () => {
    const pool = new Pool({ devices: g24 });
    pool.request(aModel('a', 10), { runMs: 100 });
    pool.request(aModel('b', 10), { runMs: 100_000 });
    pool.advance(10_000);

    reload(pool, { changed: [otherwise('a', 10)] });
    pool.advance(5_000);

    expect(pool.states()).to.deep.equal(['b ready']);
    expect(pool.kinds('unload')).to.deep.equal(['a']);
    expect(pool.decisions.findLast(({ kind }) => kind === 'unload')?.reason).to.match(
      /configuration has changed/,
    );
  });

  it('leaves a model claiming whose memory is claimed for others who wait for it', () => {
    const pool = new Pool({ devices: g24 });
    pool.request(aModel('big', 20), { runMs: 1_000 });
    pool.advance(20_000);
    pool.request(otherwise('a', 10), { runMs: 100 });
    pool.request(aModel('a', 10), { runMs: 100 });
    pool.advance(100);
    expect([...pool.ledger.claims.keys()]).to.deep.equal(['a@otherwise']);

    reload(pool, { changed: [aModel('a', 11)], classesBefore: new Map([['a', 'a']]) });

    expect([...pool.ledger.claims.keys()]).to.deep.equal(['a@otherwise']);
    expect(pool.ledger.modesOf('a').requests).to.equal('claiming');
  });

  it('leaves nothing behind of a preload that it overtakes: all slots are for those who ask', () => {
    const pool = new Pool({ devices: g24 });
    const [first, second] = [otherwise('a', 10), aModel('a', 12, { classKey: 'a@third' })];
    reload(pool, { changed: [first], preload: [first] });
    pool.advance(500);
    reload(pool, { changed: [second], preload: [second] });
    pool.advance(1);
    reload(pool, { changed: [first], preload: [first] });
    pool.advance(30_000);

    expect(pool.ledger.leaseCount).to.equal(0);
    expect(pool.ledger.waitingCount).to.equal(0);
    expect(pool.kinds('grant')).to.deep.equal([]);
  });

  it('aborts the load of a changed model, and loads it as it is now for those who wait', () => {
    const pool = new Pool({ devices: g24 });
    const waiting = pool.request(aModel('a', 10), { runMs: 100 });
    pool.advance(500);
    expect(pool.states()).to.deep.equal(['a loading']);

    reload(pool, { changed: [otherwise('a', 12)] });
    pool.advance(20_000);

    expect(waiting.failure).to.equal(undefined);
    expect(waiting.runnerId).to.equal('runner-2');
    expect(pool.kinds('refuse')).to.deep.equal([]);
  });

  it('keeps a runner when only what scheduling knows of its model has changed', () => {
    const pool = new Pool({ devices: g24 });
    pool.request(aModel('a', 10, { keepAlive: 'forever' }), { runMs: 100 });
    pool.advance(10_000);

    // It counts from the end of its last lease, some 9 s ago.
    reload(pool, { changed: [aModel('a', 10, { keepAlive: 20_000, maxQueue: 1 })] });
    pool.advance(10_000);
    expect(pool.states()).to.deep.equal(['a idle']);
    pool.advance(10_000);

    expect(pool.states()).to.deep.equal([]);
    expect(pool.kinds('load')).to.deep.equal(['a']);
  });

  it('answers whoever waits for a model that is gone, and lets its running requests finish', () => {
    const pool = new Pool({ devices: g24 });
    const running = pool.request(aModel('a', 10), { runMs: 10_000 });
    pool.advance(6_000);
    const waiting = pool.request(aModel('a', 10));

    reload(pool, { removed: ['a'] });

    expect(waiting.failure).to.deep.equal({
      code: 'model_not_found',
      message: 'a was taken out of the configuration while the request waited for it.',
    });
    pool.advance(60_000);
    expect(running.lost).to.equal(undefined);
    expect(pool.states()).to.deep.equal([]);
    expect(pool.world.processes.size).to.equal(0);
  });

  it('ends a drain after the limit that it brings along', () => {
    const pool = new Pool({ devices: g24 });
    const endless = pool.request(aModel('a', 10));
    pool.advance(6_000);

    const { plan, ...rest } = settings();
    reload(pool, { removed: ['a'], settings: { ...rest, plan: { ...plan, drainMs: 3_000 } } });
    pool.advance(10_000);

    expect(endless.lost?.message).to.contain('a');
    expect(pool.states()).to.deep.equal([]);
  });

  it('loads a model that is pinned from now on, and lets go of one that is not any more', () => {
    const pool = new Pool({ devices: g24, preload: [aModel('a', 10, { pinned: true, keepAlive: 1_000 })] });
    pool.advance(10_000);
    const b = aModel('b', 10, { pinned: true });

    reload(pool, { changed: [aModel('a', 10, { keepAlive: 1_000 }), b], preload: [b] });
    pool.advance(20_000);

    expect(pool.states()).to.deep.equal(['b idle']);
  });

  it('loads a pinned model anew when its options have changed', () => {
    const pinned = { pinned: true };
    const pool = new Pool({ devices: g24, preload: [aModel('a', 20, pinned)] });
    pool.advance(10_000);
    const changed = otherwise('a', 20, pinned);

    reload(pool, { changed: [changed], preload: [changed] });
    pool.advance(20_000);

    expect(pool.states()).to.deep.equal(['a idle']);
    expect(pool.kinds('load')).to.deep.equal(['a', 'a']);
    expect(pool.ledger.devices.get('CUDA0')?.reservedBytes).to.equal(20 * GIB);
  });

  it('tries a model at once that had failed repeatedly as it was', () => {
    const pool = new Pool({ devices: g24 });
    const failure = { code: 'load_failed', message: 'no' } as const;
    pool.world.modelOf('a').fault = { kind: 'fails-to-load', afterMs: 100, failure, times: 3 };
    for (let i = 0; i < 3; i++) {
      pool.request(aModel('a', 10));
      pool.advance(1_500);
    }
    const held = pool.request(aModel('a', 10), { runMs: 100 });
    pool.advance(100);
    expect(held.failure).to.equal(undefined);
    expect(pool.states()).to.deep.equal([]);

    reload(pool, { changed: [otherwise('a', 10)] });
    pool.advance(100);

    expect(pool.states()).to.deep.equal(['a loading']);
  });

  it('evicts until no device holds more than its new limit, idle runners first', () => {
    const pool = new Pool({ devices: g24 });
    pool.request(aModel('busy', 8), { runMs: 100_000 });
    pool.request(aModel('idle', 8), { runMs: 100 });
    pool.advance(10_000);

    reload(pool, { settings: settings({ deviceLimits: { CUDA0: 10 * GIB } }) });
    pool.advance(5_000);

    expect(pool.states()).to.deep.equal(['busy ready']);
    expect(pool.kinds('evict')).to.deep.equal(['idle']);
    expect(pool.ledger.devices.get('CUDA0')?.limitBytes).to.equal(10 * GIB);
  });

  it('starts at once what a raised limit has room for', () => {
    const pool = new Pool({ devices: g24, over: { deviceLimits: { CUDA0: 10 * GIB } } });
    pool.request(aModel('a', 8), { runMs: 100_000 });
    pool.advance(10_000);
    const waiting = pool.request(aModel('b', 8), { runMs: 100 });
    pool.advance(1_000);
    expect(waiting.grantedAtMs).to.equal(undefined);

    reload(pool, {});
    pool.advance(6_000);

    expect(pool.states()).to.deep.equal(['a ready', 'b idle']);
  });

  it('applies a new keep-alive mode to runners that are loaded', () => {
    const pool = new Pool({ devices: g24 });
    pool.request(aModel('a', 8, { keepAlive: 20_000 }), { runMs: 100 });
    pool.advance(10_000);

    reload(pool, { settings: settings({ keepAliveMode: 'soft' }) });
    pool.advance(60_000);
    expect(pool.states()).to.deep.equal(['a idle']);

    reload(pool, { settings: settings({ keepAliveMode: 'strict' }) });
    pool.advance(30_000);
    expect(pool.states()).to.deep.equal([]);
  });

  it('counts while the devices are not known yet, too', () => {
    const pool = new Pool({ devices: g24, preload: [aModel('a', 8, { pinned: true })] });
    const waiting = pool.request(aModel('b', 8), { runMs: 100 });

    reload(pool, { removed: ['a'], changed: [otherwise('b', 8)] });
    pool.advance(20_000);

    expect(waiting.grantedAtMs).to.be.a('number');
    expect(pool.states()).to.deep.equal(['b idle']);
    expect([...pool.ledger.runners.values()].map(({ spec }) => spec.classKey)).to.deep.equal(['b@otherwise']);
  });
});
