import { expect } from 'chai';
import { policyNames } from '../../machines/planning/view.ts';
import { aGpu, aModel, GIB, Pool, settings } from '../support/pool.ts';

const two = [aGpu('CUDA0', 24), aGpu('CUDA1', 24)];
/** `--tensor-split` as its user has written it. */
const split = (name: string, gib: number, shares: string, over = {}) => {
  const model = aModel(name, gib, { spread: true, ...over });
  return { ...model, launch: { ...model.launch, extraArgs: ['-ts', shares] } };
};
const booked = (pool: Pool, name: string): Record<string, number> => {
  const runner = [...pool.ledger.runners.values()].find(({ spec }) => spec.name === name);
  const bytes = Object.entries(runner?.reservation ?? {});
  return Object.fromEntries(bytes.map(([id, held]) => [id, held / GIB]));
};

describe('a model whose split is said', () => {
  it('is booked so', () => {
    const pool = new Pool({ devices: two });
    pool.request(split('big', 28, '3,1'));
    pool.advance(10_000);

    expect(booked(pool, 'big')).to.deep.equal({ CUDA0: 21, CUDA1: 7 });
  });

  it('goes by the order of the devices, and not by their size', () => {
    const pool = new Pool({ devices: [aGpu('CUDA0', 16), aGpu('CUDA1', 48)] });
    pool.request(split('big', 40, '1,3'));
    pool.advance(10_000);

    expect(booked(pool, 'big')).to.deep.equal({ CUDA0: 10, CUDA1: 30 });
  });

  for (const policy of policyNames)
    it(`makes room on each device for its share, though there is enough on both together: ${policy}`, () => {
      const pool = new Pool({ devices: two, over: { plan: { ...settings().plan, policy } } });
      pool.request(aModel('small', 20, { devices: ['CUDA0'] }), { runMs: 10 });
      pool.advance(10_000);
      const big = pool.request(split('big', 28, '3,1'), { runMs: 1_000 });
      pool.advance(120_000);

      expect(big.grantedAtMs).to.be.a('number');
      expect(pool.kinds('evict')).to.deep.equal(['small']);
    });

  it('is never more than a device has, in a day of changes', () => {
    const pool = new Pool({ devices: two });
    const models = [split('a', 20, '3,1'), split('b', 20, '1,3'), aModel('c', 12), aModel('d', 20)] as const;
    const asked = Array.from({ length: 60 }, (_, i) => {
      pool.advance(7_000);
      for (const { reservedBytes, totalBytes } of pool.ledger.devices.values())
        expect(reservedBytes).to.be.at.most(totalBytes);
      return pool.request(models[(i * 7) % 4] ?? models[0], { runMs: 3_000 });
    });
    pool.advance(900_000);

    expect(asked.filter(({ grantedAtMs }) => grantedAtMs === undefined)).to.deep.equal([]);
  });

  it('is put elsewhere, or refused, where a device could never hold its share', () => {
    const pool = new Pool({ devices: two });
    const answer = pool.request(split('big', 40, '9,1', { placement: 'gpu-only' }));
    pool.advance(1_000);

    expect(answer.failure?.code).to.equal('does_not_fit');
  });

  it('is put on just the devices that bytes are said for, and so many on each', () => {
    const pool = new Pool({ devices: two });
    pool.request(
      aModel('said', 20, {
        devices: ['CUDA0', 'CUDA1'],
        spread: true,
        shares: { CUDA0: 16 * GIB, CUDA1: 4 * GIB },
      }),
    );
    pool.advance(10_000);

    expect(booked(pool, 'said')).to.deep.equal({ CUDA0: 16, CUDA1: 4 });
  });

  it('makes room for those bytes where they are said', () => {
    const pool = new Pool({ devices: two });
    const shares = { CUDA0: 16 * GIB, CUDA1: 2 * GIB };
    pool.request(aModel('in the way', 12, { devices: ['CUDA0'] }), { runMs: 10 });
    pool.advance(10_000);
    const said = pool.request(aModel('said', 18, { devices: ['CUDA0', 'CUDA1'], spread: true, shares }));
    pool.advance(120_000);

    expect(said.grantedAtMs).to.be.a('number');
    expect(pool.kinds('evict')).to.deep.equal(['in the way']);
  });
});
