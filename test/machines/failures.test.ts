import { expect } from 'chai';
import type { FailureCode } from '../../machines/failures.ts';
import { aGpu, aModel, Pool } from '../support/pool.ts';

const g24 = [aGpu('CUDA0', 24)];
const failsToLoad = (pool: Pool, model: string, code: FailureCode, afterMs = 500): void => {
  const failure = { code, message: `${model} failed: ${code}` };
  pool.world.modelOf(model).fault = { kind: 'fails-to-load', afterMs, failure };
};
const crash = (pool: Pool, runnerId: string): void =>
  pool.world.processes.get(runnerId)?.exit('SIGKILL', { code: 'runner_crashed', message: 'crashed' });

describe('failures', () => {
  it('T5: a load that fails is answered at once, and the next request is fine', () => {
    const pool = new Pool({ devices: g24 });
    failsToLoad(pool, 'bad', 'model_file_invalid');
    const waiting = [1, 2].map(() => pool.request(aModel('bad', 8)));
    const good = pool.request(aModel('good', 8), { runMs: 10 });

    pool.advance(600);
    expect(waiting.map(({ failure }) => failure?.code)).to.deep.equal([
      'model_file_invalid',
      'model_file_invalid',
    ]);
    pool.advance(5_000);

    expect(good.grantedAtMs).to.be.within(1_000, 1_100);
    expect(pool.states()).to.deep.equal(['good idle']);
  });

  it('D18, X5: stopping a model that loads aborts the load and answers who waits', () => {
    const pool = new Pool({ devices: g24 });
    pool.world.modelOf('a').loadMs = 60_000;
    const waiting = pool.request(aModel('a', 8));
    pool.advance(10_000);

    pool.scheduler.send({ type: 'model.unload', model: 'a', drainMs: 30_000 });
    pool.advance(1_500);

    expect(waiting.failure?.code).to.equal('stopped');
    expect(pool.states()).to.deep.equal([]);
  });

  it('D42, I34: a process that dies is noticed at once; its lease is lost, its memory free', () => {
    const pool = new Pool({ devices: g24 });
    const busy = pool.request(aModel('a', 20));
    pool.advance(5_000);

    crash(pool, 'runner-1');
    pool.advance(0);
    expect(busy.lost?.code).to.equal('runner_crashed');
    const next = pool.request(aModel('b', 20), { runMs: 10 });
    pool.advance(10_000);

    expect(next.grantedAtMs).to.be.lessThan(9_000);
    expect(pool.kinds('evict')).to.deep.equal([]);
  });

  it('D45, T27: out of memory beside others is tried again alone, once', () => {
    const pool = new Pool({ devices: g24 });
    pool.request(aModel('other', 8), { runMs: 10 });
    pool.advance(5_000);
    failsToLoad(pool, 'a', 'load_out_of_memory');
    const a = pool.request(aModel('a', 10));

    pool.advance(20_000);

    expect(pool.kinds('evict')).to.deep.equal(['other']);
    expect(pool.kinds('load')).to.deep.equal(['other', 'a', 'a']);
    expect(a.failure?.code).to.equal('load_out_of_memory');
  });

  it('T31, T32: any other failed load, or one with nobody beside it, evicts nobody', () => {
    const pool = new Pool({ devices: g24 });
    failsToLoad(pool, 'alone', 'load_out_of_memory');
    const alone = pool.request(aModel('alone', 10));
    pool.advance(2_000);
    pool.request(aModel('other', 8), { runMs: 10 });
    pool.advance(5_000);
    failsToLoad(pool, 'bad', 'load_failed');
    const bad = pool.request(aModel('bad', 8));
    pool.advance(5_000);

    expect([alone.failure?.code, bad.failure?.code]).to.deep.equal(['load_out_of_memory', 'load_failed']);
    expect(pool.states()).to.deep.equal(['other idle']);
  });

  it('I46: loads that keep failing are spaced out', () => {
    const pool = new Pool({ devices: g24 });
    failsToLoad(pool, 'a', 'load_failed', 100);
    const times: number[] = [];
    const ask = (): void => {
      pool.request(aModel('a', 8));
    };
    pool.scheduler.on('decision', ({ record }) => record.kind === 'load' && times.push(record.atMs));
    pool.scheduler.on('request.refused', () => pool.world.clock.setTimeout(ask, 10));
    ask();

    pool.advance(20_000);

    const gapSeconds = times.slice(1).map((time, i) => Math.floor((time - (times[i] ?? 0)) / 1000));
    expect(gapSeconds).to.deep.equal([0, 1, 2, 4, 8]);
  });

  it('I51: a pinned model that crashes is loaded again; one that was stopped is not', () => {
    const pool = new Pool({ devices: g24, preload: [aModel('a', 8, { pinned: true })] });
    pool.advance(5_000);
    crash(pool, 'runner-1');
    pool.advance(10_000);
    expect(pool.states()).to.deep.equal(['a idle']);

    pool.scheduler.send({ type: 'model.unload', model: 'a', drainMs: 1_000 });
    pool.advance(10_000);

    expect(pool.states()).to.deep.equal([]);
  });

  it('D20, X6: a process that even SIGKILL does not end keeps its memory booked, and holds up nobody else', () => {
    const pool = new Pool({ devices: [aGpu('CUDA0', 24), aGpu('CUDA1', 24)] });
    pool.world.modelOf('a').fault = { kind: 'ignores-kill', forMs: 30_000 };
    pool.request(aModel('a', 20, { devices: ['CUDA0'] }), { runMs: 10, keepAlive: 0 });
    pool.advance(30_000);
    const other = pool.request(aModel('b', 20, { devices: ['CUDA1'] }), { runMs: 10 });
    const same = pool.request(aModel('c', 20, { devices: ['CUDA0'] }), { runMs: 10 });
    pool.advance(5_000);

    expect(pool.kinds('stuck')).to.deep.equal(['a']);
    expect(other.grantedAtMs).to.be.within(31_000, 31_100);
    expect(same.grantedAtMs).to.equal(undefined);
    pool.advance(60_000);
    expect(same.grantedAtMs).to.be.greaterThan(36_000);
  });

  it('I17: memory that never comes back is told once, and the next load goes by what is reported', () => {
    const pool = new Pool({ devices: g24 });
    const device = pool.world.devices.get('CUDA0');
    if (device) device.recoveryMs = Infinity;
    pool.request(aModel('a', 10), { runMs: 10, keepAlive: 0 });
    pool.advance(30_000);
    const fits = pool.request(aModel('b', 12), { runMs: 10 });
    pool.advance(5_000);
    const doesNot = pool.request(aModel('c', 23), { runMs: 10, waitLimitMs: 120_000 });
    pool.advance(60_000);

    expect(pool.kinds('unrecovered')[0]).to.equal('a');
    expect(fits.grantedAtMs).to.be.greaterThan(30_000);
    expect(doesNot.grantedAtMs).to.equal(undefined);
  });

  it('I19, I20: a probe that fails is no lost GPU', () => {
    const pool = new Pool({ devices: g24 });
    pool.request(aModel('a', 8), { runMs: 10 });
    pool.advance(5_000);
    pool.world.probeFault = 'fails';
    pool.advance(60_000);

    const b = pool.request(aModel('b', 8, { placement: 'gpu-only' }), { runMs: 10 });
    pool.advance(5_000);

    expect(b.grantedAtMs).to.be.lessThan(67_000);
    expect(pool.states()).to.deep.equal(['a idle', 'b idle']);
  });

  it('D12, X13: a shutdown answers the queue at once, lets leases finish, and leaves nothing', () => {
    const pool = new Pool({ devices: g24 });
    const running = pool.request(aModel('a', 20), { runMs: 10_000 });
    pool.advance(5_000);
    const queued = Array.from({ length: 20 }, () => pool.request(aModel('b', 20)));

    pool.scheduler.send({ type: 'scheduler.drain', drainMs: 30_000 });
    const late = pool.request(aModel('a', 20));
    pool.advance(0);
    expect([...queued, late].every(({ failure }) => failure?.code === 'shutting_down')).to.equal(true);
    expect(pool.scheduler.getSnapshot().status).to.equal('active');
    pool.advance(10_000);

    expect(running.lost).to.equal(undefined);
    expect(pool.scheduler.getSnapshot().status).to.equal('done');
    expect(pool.world.processes.size).to.equal(0);
  });
});
