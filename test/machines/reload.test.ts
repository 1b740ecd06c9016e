import { expect } from 'chai';
import { aGpu, aModel, Pool } from '../support/pool.ts';

const g80 = [aGpu('CUDA0', 80)];
const slots = (count: number) => ({ launch: { ...aModel('a', 8).launch, slots: count } });

describe('a model asked for with other options', () => {
  const adapted = aModel('a', 60, {
    classKey: 'a@adapter',
    launch: { ...aModel('a', 8).launch, adapterPaths: ['/lora.gguf'] },
  });

  it('T2: is loaded anew once the running lease has ended; there are never two of it', () => {
    const pool = new Pool({ devices: g80 });
    pool.request(aModel('a', 60), { runMs: 2_000 });
    pool.advance(2_000);

    const other = pool.request(adapted, { runMs: 1_000 });
    for (let i = 0; i < 100; i++) {
      pool.advance(100);
      expect(pool.world.processes.size).to.be.at.most(1);
    }

    expect(other.grantedAtMs).to.be.within(5_000, 6_000);
    expect(pool.kinds('evict')).to.deep.equal(['a']);
  });

  it('D44, I10, I11: is not loaded anew for a smaller context', () => {
    const pool = new Pool({ devices: g80 });
    const large = aModel('a', 60, { context: 65_536 });
    pool.request(large, { runMs: 100 });
    pool.advance(5_000);

    const small = pool.request(aModel('a', 10, { context: 4_096 }), { runMs: 100 });
    pool.advance(1_000);
    pool.request(large, { runMs: 100 });
    pool.advance(1_000);

    expect(small.runnerId).to.equal('runner-1');
    expect(pool.kinds('load')).to.deep.equal(['a']);
  });

  it('I2: a larger context drains the smaller one at once, and then serves both', () => {
    const pool = new Pool({ devices: g80 });
    const model = (context: number) => {
      const { launch, ...rest } = aModel('a', 60, { context });
      return { ...rest, launch: { ...launch, ...slots(4).launch, contextTokens: context } };
    };
    const client = (): void => {
      const request = pool.request(model(4_096), { runMs: 5_000 });
      pool.doors.on('granted', ({ leaseId }) => {
        if (leaseId === request.id) pool.world.clock.setTimeout(client, 5_001);
      });
    };
    for (let i = 0; i < 4; i++) client();
    pool.advance(30_000);

    const large = pool.request(model(8_192), { runMs: 5_000 });
    pool.advance(15_000);

    expect(large.grantedAtMs).to.be.lessThan(40_000);
    expect(pool.kinds('load')).to.deep.equal(['a', 'a']);
    expect(new Set([...pool.answers.values()].map(({ runnerId }) => runnerId).filter(Boolean))).to.deep.equal(
      new Set(['runner-1', 'runner-2']),
    );
  });

  it('I8, I58: a request that comes while it unloads is served by a fresh process', () => {
    const pool = new Pool({ devices: g80 });
    pool.request(aModel('a', 60), { runMs: 10, keepAlive: 2_000 });
    pool.advance(3_050);
    expect(pool.states()).to.deep.equal(['a unloading']);

    const next = pool.request(aModel('a', 60), { runMs: 10 });
    pool.advance(5_000);

    expect(next.runnerId).to.equal('runner-2');
  });

  it('I7: rapid reloads with cancels leave nothing behind', () => {
    const pool = new Pool({ devices: g80 });
    for (const context of [1, 2, 3]) {
      const request = pool.request(aModel('a', 30, { context: 4_096 * context, keepAlive: 1_000 }));
      pool.advance(700);
      request.cancel();
    }

    pool.advance(60_000);

    expect(pool.states()).to.deep.equal([]);
    expect(pool.world.processes.size).to.equal(0);
    expect(pool.ledger.devices.get('CUDA0')?.reservedBytes).to.equal(0);
  });
});

describe('keep-alive', () => {
  it('I27: is not reset by requests that name none; I28: counts from the end of the last lease', () => {
    const pool = new Pool({ devices: g80 });
    pool.request(aModel('a', 8), { runMs: 10, keepAlive: 3_600_000 });
    pool.advance(10_000);

    pool.request(aModel('a', 8), { runMs: 100_000 });
    pool.advance(3_600_000);

    expect(pool.states()).to.deep.equal(['a idle']);
    pool.advance(120_000);
    expect(pool.states()).to.deep.equal([]);
  });

  it('T1: the last one that was named counts', () => {
    const pool = new Pool({ devices: g80 });
    const model = aModel('a', 8, slots(2));
    pool.request(model, { runMs: 2_000, keepAlive: 'forever' });
    pool.request(model, { runMs: 1_000, keepAlive: 0 });

    pool.advance(2_900);
    expect(pool.states()).to.deep.equal(['a ready']);
    pool.advance(2_000);

    expect(pool.states()).to.deep.equal([]);
  });

  it('X14: of 30 days does not end at once', () => {
    const pool = new Pool({ devices: g80, over: { probeIntervalMs: 3_600_000 } });
    pool.request(aModel('a', 8), { runMs: 10, keepAlive: 30 * 86_400_000 });

    pool.advance(29 * 86_400_000);

    expect(pool.states()).to.deep.equal(['a idle']);
  });
});
