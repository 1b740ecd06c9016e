import { expect } from 'chai';
import { aGpu, aModel, GIB, Pool, settings } from '../support/pool.ts';

const g24 = [aGpu('CUDA0', 24)];
/** Loads models one after the other and leaves them idle. */
const withIdle = (pool: Pool, ...models: ReturnType<typeof aModel>[]): Pool => {
  for (const model of models) {
    pool.request(model, { runMs: 10 });
    pool.advance(5_000);
  }
  return pool;
};

describe('eviction', () => {
  it('D2, I1: a victim is not resurrected by requests that keep coming for it', () => {
    const pool = new Pool({
      devices: [aGpu('CUDA0', 32)],
      over: { plan: { ...settings().plan, starvationMs: 0 } },
    });
    const gen = aModel('gen', 20, { keepAlive: 'forever' });
    pool.request(gen, { runMs: 20_000 });
    pool.advance(10_000);
    const big = pool.request(aModel('big', 22), { runMs: 5_000 });
    pool.advance(2_000);
    const again = pool.request(gen, { runMs: 10_000, keepAlive: 'forever' });

    pool.advance(60_000);

    expect(again.runnerId).to.not.equal('runner-1');
    expect(big.grantedAtMs).to.be.within(21_000, 26_000);
    expect(again.grantedAtMs).to.be.greaterThan(big.grantedAtMs ?? 0);
  });

  it('D3: a busy model cannot starve another for longer than the bound and one request', () => {
    const pool = new Pool({ devices: g24 });
    const busy = aModel('busy', 16);
    const keepBusy = (): void => {
      const request = pool.request(busy);
      pool.world.clock.setTimeout(() => (request.end(), keepBusy()), 4_000);
    };
    keepBusy();
    pool.world.clock.setTimeout(keepBusy, 2_000);
    pool.advance(10_000);

    const rare = pool.request(aModel('rare', 12), { runMs: 100 });
    pool.advance(120_000);

    expect(rare.grantedAtMs).to.be.lessThan(10_000 + 60_000 + 15_000);
  });

  it('D4, D5, X1: memory on its way back is not given out twice, and nothing loads before it is free', () => {
    const pool = withIdle(new Pool({ devices: g24 }), aModel('a', 8, { keepAlive: 10_000 }), aModel('b', 10));
    pool.request(aModel('c', 20), { runMs: 60_000 });
    pool.request(aModel('d', 20), { runMs: 1_000 });

    for (let i = 0; i < 400; i++) {
      pool.advance(250);
      expect(pool.world.heldOn('CUDA0')).to.be.at.most(24 * 1024 ** 3);
      expect(pool.ledger.devices.get('CUDA0')?.reservedBytes).to.be.at.most(24 * 1024 ** 3);
    }
  });

  it('D7: whoever becomes idle first is taken, not who was looked at first', () => {
    const pool = new Pool({ devices: g24 });
    const a = pool.request(aModel('a', 12));
    const b = pool.request(aModel('b', 12));
    pool.advance(5_000);
    const c = pool.request(aModel('c', 12), { runMs: 100 });
    pool.advance(1_000);

    b.end();
    pool.advance(10_000);

    expect(c.grantedAtMs).to.be.lessThan(12_000);
    expect(pool.kinds('evict')).to.deep.equal(['b']);
    a.end();
  });

  it('D37, T3: only runners whose going frees something are victims', () => {
    const pool = new Pool({ devices: [aGpu('CUDA0', 24), aGpu('CPU', 64, { kind: 'cpu', library: 'CPU' })] });
    withIdle(pool, aModel('cpu', 10, { placement: 'cpu-only' }), aModel('gpu', 20));

    pool.request(aModel('next', 20, { placement: 'gpu-only' }), { runMs: 100 });
    pool.advance(30_000);

    expect(pool.kinds('evict')).to.deep.equal(['gpu']);
    expect(pool.states()).to.include('cpu idle');
  });

  it('D38, I23: what can never fit is refused at once, with the numbers, and nobody is evicted for it', () => {
    const pool = withIdle(new Pool({ devices: g24 }), aModel('a', 8), aModel('b', 8));

    const big = pool.request(aModel('big', 60));
    pool.advance(0);

    expect(big.failure?.code).to.equal('does_not_fit');
    expect(big.failure?.message).to.match(/needs 60\.0 GiB .* CUDA0 24\.0 GiB/);
    expect(pool.states()).to.deep.equal(['a idle', 'b idle']);
  });

  it('D40, I25: a pin is no keep-alive: pinned models stay, the others rotate', () => {
    const pool = new Pool({ devices: g24 });
    withIdle(
      pool,
      aModel('pinned', 10, { pinned: true, keepAlive: 0 }),
      aModel('c', 10),
      aModel('d', 10),
      aModel('e', 10),
    );

    pool.advance(5_000);

    expect(pool.kinds('evict')).to.deep.equal(['c', 'd']);
    expect(pool.states()).to.include('pinned idle');
  });

  it('I24: what cannot fit beside the pins is refused at once', () => {
    const pool = withIdle(new Pool({ devices: g24 }), aModel('pinned', 16, { pinned: true }));

    const other = pool.request(aModel('other', 12));
    pool.advance(0);

    expect(other.failure?.message).to.match(/cannot fit beside the pinned pinned .*Unpin it\.$/);
  });

  it('I4: victims are only marked when the whole set can go', () => {
    const pool = new Pool({ devices: [aGpu('CUDA0', 16)] });
    const embed = pool.request(aModel('embed', 2));
    withIdle(pool, aModel('chat', 12));

    const big = pool.request(aModel('big', 15), { runMs: 100 });
    pool.advance(1_000);
    const chat = pool.request(aModel('chat', 12), { runMs: 3_000 });
    pool.advance(0);

    expect(chat.grantedAtMs).to.equal(pool.world.clock.now());
    embed.end();
    pool.advance(60_000);
    expect(big.grantedAtMs).to.be.greaterThan(0);
  });

  it('I9: the smallest set that suffices goes, and nobody busy', () => {
    const pool = new Pool({ devices: g24 });
    withIdle(pool, aModel('a', 8), aModel('c', 6));
    const b = pool.request(aModel('b', 8));
    pool.advance(5_000);

    pool.request(aModel('d', 14), { runMs: 100 });
    pool.advance(30_000);

    expect(pool.kinds('evict').toSorted()).to.deep.equal(['a', 'c']);
    expect(pool.doors.inside(b.runnerId ?? '')).to.deep.equal(new Set([b.id]));
  });

  it('I12, I13: what fits beside the others evicts nobody', () => {
    const pool = new Pool({ devices: [aGpu('CPU', 512, { kind: 'cpu', library: 'CPU' })] });
    withIdle(pool, aModel('a', 1, { keepAlive: 'forever' }), aModel('b', 20, { keepAlive: 'forever' }));

    expect(pool.states()).to.deep.equal(['a idle', 'b idle']);
  });

  it('I40: a model of one GPU stays there, and says so when it cannot', () => {
    const pool = new Pool({ devices: [aGpu('CUDA0', 48), aGpu('CUDA1', 16)] });
    withIdle(pool, aModel('embed', 5, { devices: ['CUDA1'] }), aModel('chat', 30));
    const wrong = pool.request(aModel('wrong', 20, { devices: ['CUDA1'] }));
    pool.advance(0);

    expect(
      [...pool.ledger.runners.values()].map(({ reservation }) => Object.keys(reservation)),
    ).to.deep.equal([['CUDA1'], ['CUDA0']]);
    expect(wrong.failure?.message).to.match(/CUDA1 16\.0 GiB/);
  });

  it('I42, I68: a model too large for one GPU is split over just as many as it needs', () => {
    const pool = new Pool({ devices: [aGpu('CUDA0', 12), aGpu('CUDA1', 12), aGpu('CUDA2', 12)] });

    pool.request(aModel('big', 20), { runMs: 100 });
    pool.advance(5_000);

    const [runner] = pool.ledger.runners.values();
    expect(Object.keys(runner?.reservation ?? {})).to.deep.equal(['CUDA0', 'CUDA1']);
  });

  it('gives a device back to the last byte, also of needs that are no whole number of them', () => {
    const pool = new Pool({ devices: [aGpu('CUDA0', 24), aGpu('CPU', 64, { kind: 'cpu', library: 'CPU' })] });
    withIdle(pool, aModel('a', 4.4), aModel('b', 4.7), aModel('c', 11.6)).advance(400_000);
    const huge = aModel('huge', 40);
    const request = pool.request({ ...huge, launch: { ...huge.launch, layers: 80 } }, { runMs: 100 });

    pool.advance(120_000);

    expect(request.grantedAtMs).to.be.a('number');
    expect(pool.ledger.devices.get('CUDA0')?.reservedBytes).to.equal(24 * GIB);
  });

  it('I48: the same script gives the same decisions', () => {
    const run = (): string => {
      const pool = new Pool({ devices: g24 });
      withIdle(pool, aModel('b', 8), aModel('a', 8), aModel('c', 8), aModel('d', 20));
      return JSON.stringify(pool.decisions);
    };

    expect(run()).to.equal(run());
  });

  it('I53, I56: a model that is loading for somebody is no victim', () => {
    const pool = new Pool({ devices: g24 });
    pool.world.modelOf('a').loadMs = 20_000;
    const a = pool.request(aModel('a', 16), { runMs: 100 });
    pool.advance(1_000);
    const b = pool.request(aModel('b', 16), { runMs: 100 });

    pool.advance(60_000);

    expect(a.grantedAtMs).to.be.within(20_000, 20_100);
    expect(b.grantedAtMs).to.be.greaterThan(a.grantedAtMs ?? 0);
  });
});
