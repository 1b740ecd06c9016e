import { expect } from 'chai';
import { aGpu, aModel, Pool } from '../support/pool.ts';

describe('a runner that has to go and is busy', () => {
  it('D32: is waited for without looking at it again and again', () => {
    const pool = new Pool({ devices: [aGpu('CUDA0', 24)], over: { probeIntervalMs: Infinity } });
    const busy = pool.request(aModel('a', 20));
    pool.advance(5_000);
    pool.scheduler.send({ type: 'model.unload', model: 'a', drainMs: Infinity });
    pool.request(aModel('b', 20), { runMs: 100 });
    let ticks = 0;
    while (pool.world.clock.step(10_000_000)) ticks++;

    // The one timer is that at which `b` could have evicted at any price.
    expect(pool.states()).to.deep.equal(['a expiring']);
    expect(ticks).to.be.at.most(2);
    busy.end();
    pool.advance(10_000);
    expect(pool.states()).to.deep.equal(['b idle']);
  });
});
