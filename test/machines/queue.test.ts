import { expect } from 'chai';
import { explainWait } from '../../machines/planning/explain.ts';
import { aGpu, aModel, GIB, Pool } from '../support/pool.ts';

const g24 = [aGpu('CUDA0', 24)];

describe('the queue', () => {
  it('D1: a request that waits for an eviction blocks nobody who could be served', () => {
    const pool = new Pool({ devices: g24 });
    pool.request(aModel('busy', 12));
    pool.advance(5_000);
    const blocked = pool.request(aModel('blocked', 20), { runMs: 100 });
    const small = pool.request(aModel('small', 8), { runMs: 100 });

    pool.advance(2_000);

    expect(blocked.grantedAtMs).to.equal(undefined);
    expect(small.grantedAtMs).to.be.within(6_000, 6_200);
  });

  it('D14, X4: who has left takes no place', () => {
    const pool = new Pool({ devices: g24 });
    const model = aModel('a', 8, { maxQueue: 2 });
    pool.request(model);
    pool.advance(5_000);
    const [one, two] = [pool.request(model), pool.request(model)];
    const full = pool.request(model);
    one.cancel();
    two.cancel();

    const live = pool.request(model);
    pool.advance(0);

    expect(full.failure?.code).to.equal('queue_full');
    expect(live.failure).to.equal(undefined);
    expect(pool.ledger.waitingCount).to.equal(1);
  });

  it('D13, X4: an eviction whose client has left before it was decided does not happen', () => {
    const pool = new Pool({ devices: g24 });
    const busy = pool.request(aModel('busy', 20));
    pool.advance(5_000);
    const gone = pool.request(aModel('gone', 20));

    gone.cancel();
    busy.end();
    pool.advance(60_000);

    expect(pool.kinds('evict')).to.deep.equal([]);
    expect(pool.states()).to.deep.equal(['busy idle']);
  });

  it('D15, I6: a load belongs to the runner, not to its first client', () => {
    const pool = new Pool({ devices: g24 });
    pool.world.modelOf('a').loadMs = 10_000;
    const requests = [1, 2, 3].map(() =>
      pool.request(aModel('a', 8, { launch: { ...aModel('a', 8).launch, slots: 4 } })),
    );
    pool.advance(5_000);

    requests[0]?.cancel();
    pool.advance(10_000);

    expect(pool.kinds('load')).to.deep.equal(['a']);
    expect(requests.map(({ grantedAtMs }) => grantedAtMs !== undefined)).to.deep.equal([false, true, true]);
  });

  it('D49, I30, I62: any number of requests for a cold model load it once, and are served in order', () => {
    const pool = new Pool({ devices: g24 });
    const requests = Array.from({ length: 300 }, () => pool.request(aModel('a', 8), { runMs: 10 }));

    pool.advance(20_000);

    const granted = requests.map(({ grantedAtMs }) => grantedAtMs ?? Infinity);
    expect(pool.kinds('load')).to.deep.equal(['a']);
    expect(granted).to.deep.equal(granted.toSorted((a, b) => a - b));
  });

  it('D50, I29: it bounds the requests of a loaded model too', () => {
    const pool = new Pool({ devices: g24 });
    const model = aModel('a', 8, { maxQueue: 1 });
    pool.request(model, { runMs: 1 });
    pool.advance(5_000);

    const six = Array.from({ length: 6 }, () => pool.request(model));
    pool.advance(0);

    expect(
      six.map(({ grantedAtMs, failure }) => failure?.code ?? (grantedAtMs ? 'granted' : 'waits')),
    ).to.deep.equal(['granted', 'waits', ...Array.from({ length: 4 }, () => 'queue_full')]);
  });

  it('X2: of size 0 serves what can be served at once', () => {
    const pool = new Pool({ devices: g24, over: { maxQueue: 0 } });
    const cold = pool.request(aModel('a', 8));
    expect(cold.failure?.code).to.equal('queue_full');

    pool.scheduler.send({ type: 'model.load', spec: aModel('a', 8) });
    pool.advance(5_000);
    const warm = pool.request(aModel('a', 8), { runMs: 10 });
    pool.advance(0);

    expect(warm.grantedAtMs).to.equal(5_000);
  });

  it('gives an answer when a wait has lasted too long', () => {
    const pool = new Pool({ devices: g24 });
    pool.request(aModel('busy', 20, { pinned: false }));
    pool.advance(5_000);

    const waiting = pool.request(aModel('b', 20), { waitLimitMs: 30_000 });
    pool.advance(30_000);

    expect(waiting.failure?.code).to.equal('queue_timeout');
    expect(waiting.failure?.message).to.match(/waited 30 s/);
  });

  it('serves interactive requests first, and starves no batch', () => {
    const pool = new Pool({ devices: g24 });
    const model = aModel('a', 8);
    pool.request(model, { runMs: 5_000 });
    pool.advance(2_000);
    const batch = pool.request(model, { runMs: 5_000, priority: 'batch' });
    const normal = pool.request(model, { runMs: 5_000 });
    const urgent = pool.request(model, { runMs: 5_000, priority: 'interactive' });
    const stream = (): void => {
      pool.request(model, { runMs: 5_000 });
      pool.world.clock.setTimeout(stream, 5_000);
    };
    stream();

    pool.advance(200_000);

    expect([urgent, normal, batch].map(({ grantedAtMs }) => grantedAtMs ?? Infinity)).to.satisfy(
      ([a = 0, b = 0, c = 0]) => a < b && b < c && c < 120_000,
    );
  });

  it('says why each request waits', () => {
    const pool = new Pool({ devices: g24 });
    const reasonOf = (classKey: string): string => {
      const queue = pool.ledger.queues.get(classKey);
      return queue ? explainWait(queue, pool.ledger, pool.ledger.waits) : 'nobody waits';
    };
    pool.world.modelOf('a').loadMs = 10_000;
    const a = pool.request(aModel('a', 16));
    pool.advance(100);
    expect(reasonOf('a@4096')).to.equal('a is loading');
    pool.advance(10_000);
    pool.request(aModel('a', 16));
    expect(reasonOf('a@4096')).to.equal('the only slot of a is in use');

    pool.request(aModel('b', 12));
    expect(reasonOf('b@4096')).to.equal('needs 12.0 GiB on CUDA0; what could be evicted there is in use');
    pool.advance(60_000);

    expect(reasonOf('b@4096')).to.equal('waits for 12.0 GiB on CUDA0: a drains, 1 lease');
    a.end();
  });

  it('says that other programs hold what is wanted, and not that something idle is in use', () => {
    const pool = new Pool({ devices: g24 });
    pool.request(aModel('idle', 4), { runMs: 100 });
    pool.advance(10_000);
    const gpu = pool.world.devices.get('CUDA0');
    if (gpu) gpu.othersBytes = 12 * GIB;
    pool.advance(20_000);

    pool.request(aModel('b', 16));
    pool.advance(60_000);

    const queue = pool.ledger.queues.get('b@4096');
    expect(queue && explainWait(queue, pool.ledger, pool.ledger.waits)).to.equal(
      'needs 16.0 GiB on CUDA0; other programs hold 12.0 GiB of CUDA0',
    );
  });
});
