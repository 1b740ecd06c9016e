import { expect } from 'chai';
import { aGpu, aModel, Pool } from '../support/pool.ts';

describe('a model whose memory is on its way', () => {
  const [a, b] = [aModel('a', 16), aModel('b', 16)];
  const claimed = (over: ConstructorParameters<typeof Pool>[0]['over'] = {}) => {
    const pool = new Pool({ devices: [aGpu('CUDA0', 24)], over });
    pool.advance(1_000);
    const busy = pool.request(a);
    pool.advance(10_000);
    const waiting = pool.request(b);
    pool.advance(600_000);
    expect(pool.ledger.claims.size).to.equal(1);
    return { pool, busy, waiting };
  };

  it('has its file read until its process starts', () => {
    const { pool, busy } = claimed();
    expect([...pool.world.readAhead]).to.deep.equal(['b']);

    busy.end();
    pool.advance(60_000);

    expect(pool.ledger.runnersOf('b')).to.have.length(1);
    expect([...pool.world.readAhead]).to.deep.equal([]);
  });

  it('has it read no longer when nobody wants it any more', () => {
    const { pool, waiting } = claimed();

    waiting.cancel();
    pool.advance(1_000);

    expect([...pool.world.readAhead]).to.deep.equal([]);
  });

  it('has none of it read where that is turned off', () => {
    const { pool } = claimed({ readsAhead: false });

    expect([...pool.world.readAhead]).to.deep.equal([]);
  });
});
