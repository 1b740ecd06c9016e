import { expect } from 'chai';
import { aGpu, aModel, Pool } from '../support/pool.ts';

describe('scheduler', () => {
  it('loads a cold model and grants its request once it is ready', () => {
    const pool = new Pool({ devices: [aGpu('CUDA0', 24)] });

    const request = pool.request(aModel('a', 8));
    pool.advance(2_000);

    expect(request.grantedAtMs).to.be.within(1_000, 1_100);
    expect(pool.states()).to.deep.equal(['a ready']);
  });

  it('serves a second request for the model with the same runner', () => {
    const pool = new Pool({ devices: [aGpu('CUDA0', 24)] });
    const first = pool.request(aModel('a', 8), { runMs: 100 });
    pool.advance(5_000);

    const second = pool.request(aModel('a', 8), { runMs: 100 });
    pool.advance(0);

    expect(second.runnerId).to.equal(first.runnerId);
    expect(pool.kinds('load')).to.deep.equal(['a']);
  });

  it('evicts an idle model, waits for its memory, then loads the next', () => {
    const pool = new Pool({ devices: [aGpu('CUDA0', 24)] });
    pool.request(aModel('a', 20), { runMs: 100 });
    pool.advance(10_000);

    const b = pool.request(aModel('b', 20), { runMs: 100 });
    pool.advance(10_000);

    expect(b.grantedAtMs).to.be.within(12_000, 14_000);
    expect(pool.kinds('evict')).to.deep.equal(['a']);
    expect(pool.states()).to.deep.equal(['b idle']);
  });

  it('unloads an idle runner when its keep-alive ends, counted from the end of its last lease', () => {
    const pool = new Pool({ devices: [aGpu('CUDA0', 24)] });
    const a = pool.request(aModel('a', 20, { keepAlive: 8_000 }));
    pool.advance(20_000);
    expect(pool.states()).to.deep.equal(['a ready']);

    a.end();
    pool.advance(7_999);
    expect(pool.states()).to.deep.equal(['a idle']);
    pool.advance(3_000);

    expect(pool.states()).to.deep.equal([]);
  });
});
