import { expect } from 'chai';
import { aGpu, aModel, Pool } from '../support/pool.ts';

const g24 = [aGpu('CUDA0', 24)];

describe("an operator's commands", () => {
  describe('to stop one runner', () => {
    it('lets its leases finish, for as long as they may', () => {
      const pool = new Pool({ devices: g24 });
      const request = pool.request(aModel('a', 8));
      pool.advance(5_000);

      pool.scheduler.send({ type: 'runner.stop', runnerId: 'runner-1', drainMs: 10_000 });
      pool.advance(9_000);
      expect(pool.states()).to.deep.equal(['a expiring']);
      expect(request.lost).to.equal(undefined);
      pool.advance(6_000);

      expect(request.lost?.code).to.equal('stopped');
      expect(pool.states()).to.deep.equal([]);
    });

    it('takes it from its leases by force', () => {
      const pool = new Pool({ devices: g24 });
      const request = pool.request(aModel('a', 8));
      pool.advance(5_000);

      pool.scheduler.send({ type: 'runner.stop', runnerId: 'runner-1', drainMs: 0 });
      pool.advance(0);

      expect(request.lost?.message).to.equal('a was stopped on request.');
    });

    it('hurries one that is finishing', () => {
      const pool = new Pool({ devices: g24 });
      const request = pool.request(aModel('a', 8));
      pool.advance(5_000);
      pool.scheduler.send({ type: 'runner.stop', runnerId: 'runner-1', drainMs: 60_000 });
      pool.advance(1_000);

      pool.scheduler.send({ type: 'runner.stop', runnerId: 'runner-1', drainMs: 0 });
      pool.advance(0);

      expect(request.lost?.code).to.equal('stopped');
    });

    it('aborts a load, answers those who wait for it and does not begin anew', () => {
      const pool = new Pool({ devices: g24 });
      pool.world.modelOf('a').loadMs = 60_000;
      const request = pool.request(aModel('a', 8));
      pool.advance(5_000);

      pool.scheduler.send({ type: 'runner.stop', runnerId: 'runner-1', drainMs: 60_000 });
      pool.advance(10_000);

      expect(request.failure?.code).to.equal('stopped');
      expect(pool.kinds('load')).to.deep.equal(['a']);
      expect(pool.states()).to.deep.equal([]);
    });

    it('gives those who wait for a slot of it a fresh one', () => {
      const pool = new Pool({ devices: g24 });
      pool.request(aModel('a', 8));
      pool.advance(5_000);
      const waiting = pool.request(aModel('a', 8));

      pool.scheduler.send({ type: 'runner.stop', runnerId: 'runner-1', drainMs: 0 });
      pool.advance(10_000);

      expect(waiting.runnerId).to.equal('runner-2');
    });

    it('leaves the others alone, and does not mind one that has gone', () => {
      const pool = new Pool({ devices: g24 });
      pool.request(aModel('a', 8), { runMs: 100 });
      pool.request(aModel('b', 8), { runMs: 100 });
      pool.advance(5_000);

      pool.scheduler.send({ type: 'runner.stop', runnerId: 'runner-1', drainMs: 0 });
      pool.scheduler.send({ type: 'runner.stop', runnerId: 'runner-9', drainMs: 0 });
      pool.advance(5_000);

      expect(pool.states()).to.deep.equal(['b idle']);
    });
  });

  describe('to pin a model', () => {
    const pin = (pool: Pool, pinned: boolean): void =>
      pool.scheduler.send({ type: 'model.keep', model: 'a', keepAlive: 1_000, pinned });

    it('keeps a runner that is there, until it is unpinned', () => {
      const pool = new Pool({ devices: g24 });
      pool.request(aModel('a', 8), { runMs: 100 });
      pool.advance(5_000);

      pin(pool, true);
      pool.advance(600_000);
      expect(pool.states()).to.deep.equal(['a idle']);
      pin(pool, false);
      pool.advance(5_000);

      expect(pool.states()).to.deep.equal([]);
    });

    it('keeps a runner that is started later for a request that waits already', () => {
      const pool = new Pool({ devices: g24 });
      const busy = pool.request(aModel('busy', 20));
      pool.advance(5_000);
      pool.request(aModel('a', 8), { runMs: 100 });

      pin(pool, true);
      busy.end();
      pool.advance(600_000);

      expect(pool.states()).to.deep.equal(['a idle']);
    });

    it('brings it back after a crash, and keeps what comes', () => {
      const pool = new Pool({ devices: g24 });
      pool.request(aModel('a', 8), { runMs: 100 });
      pool.advance(5_000);
      pin(pool, true);

      pool.world.processes.get('runner-1')?.exit('SIGKILL', { code: 'runner_crashed', message: 'crashed' });
      pool.advance(600_000);

      expect(pool.kinds('load')).to.deep.equal(['a', 'a']);
      expect(pool.states()).to.deep.equal(['a idle']);
    });
  });
});
