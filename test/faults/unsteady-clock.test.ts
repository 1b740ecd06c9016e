import { expect } from 'chai';
import type { Unsteadiness } from '../support/unsteady-clock.ts';
import { aGpu, aModel, Pool } from '../support/pool.ts';

/** Devices are read once an hour here: nothing else happens that could hide a timer which was not armed. */
const quietPool = (unsteadiness: Unsteadiness): Pool =>
  new Pool({ devices: [aGpu('CUDA0', 24)], over: { probeIntervalMs: 3_600_000 }, unsteadiness });

const unsteady: Readonly<Record<string, Unsteadiness>> = {
  'timers that fire a fraction of a millisecond early': { delayOf: Math.floor },
  'timers that fire 5 % early': { delayOf: (delayMs) => delayMs * 0.95 },
  'timers that fire 40 ms late': { delayOf: (delayMs) => delayMs + 40 },
};

/** A pool whose memory is taken by a model that runs, at a moment which is no whole number of ms. */
function taken(unsteadiness: Unsteadiness): Pool {
  const pool = quietPool(unsteadiness);
  pool.request(aModel('busy', 20));
  pool.advance(6_000.6);
  return pool;
}

for (const [fault, unsteadiness] of Object.entries(unsteady))
  describe(fault, () => {
    it('a request is refused when its longest wait is over, and not before', () => {
      const pool = taken(unsteadiness);

      const request = pool.request(aModel('other', 20), { waitLimitMs: 300.7 });
      pool.advance(1_000);

      expect(request.failure?.code).to.equal('queue_timeout');
      expect(request.refusedAtMs).to.be.within(6_301.3, 6_345);
    });

    it('a wait that is to save a load ends at its moment', () => {
      const steadyMs = evicting({});

      // Loads take as long as their timers say, too, and are what the wait is measured by.
      expect(evicting(unsteadiness)).to.be.within(0.95 * steadyMs - 50, steadyMs + 400);
    });
  });

describe('a clock that is set back', () => {
  it('a request is refused once its longest wait has passed on it', () => {
    const pool = taken({});
    const request = pool.request(aModel('other', 20), { waitLimitMs: 10_000 });

    pool.advance(9_000);
    pool.clock.jump(-5_000);
    pool.advance(5_000);
    expect(request.failure).to.equal(undefined);
    pool.advance(2_000);

    expect(request.refusedAtMs).to.be.within(21_000, 21_002);
  });
});

describe('a clock that leaps ahead, as after a suspension', () => {
  it('what is overdue happens at the next event', () => {
    const pool = taken({});
    const request = pool.request(aModel('other', 20), { waitLimitMs: 600_000 });

    pool.advance(1_000);
    pool.clock.jump(3_600_000);
    pool.request(aModel('third', 2), { runMs: 10 });

    expect(request.failure?.code).to.equal('queue_timeout');
  });
});

/** Two models that exclude each other, both asked for often: whoever wants the other's place waits on purpose. */
function evicting(unsteadiness: Unsteadiness): number {
  const pool = quietPool(unsteadiness);
  for (let i = 0; i < 20; i++) {
    pool.request(aModel(i % 10 === 0 ? 'other' : 'hot', 20), { runMs: 10 });
    pool.advance(7_000.3);
  }
  const askedAtMs = pool.world.clock.now();
  const request = pool.request(aModel('other', 20), { runMs: 10 });
  pool.advance(60_000);
  return (request.grantedAtMs ?? NaN) - askedAtMs;
}
