import { expect } from 'chai';
import { serverArguments } from '../../actors/process/server-arguments.ts';
import { policyNames } from '../../machines/planning/view.ts';
import { aGpu, aModel, GIB, Pool, settings } from '../support/pool.ts';

const cpu = (gib: number) => aGpu('CPU', gib, { library: 'CPU', kind: 'cpu' });
const devices = [aGpu('CUDA0', 24), cpu(32)];
/** Its experts are in main memory, say. */
const hosted = (name: string, gib: number, hostGib: number, over = {}) =>
  aModel(name, gib, { hostBytes: hostGib * GIB, ...over });
const bookedBy = (pool: Pool, name: string): Record<string, number> => {
  const runner = [...pool.ledger.runners.values()].find(({ spec }) => spec.name === name);
  const booked = Object.entries(runner?.reservation ?? {});
  return Object.fromEntries(booked.map(([id, bytes]) => [id, bytes / GIB]));
};

describe('what a model wants of main memory beside its GPU', () => {
  it('is booked there', () => {
    const pool = new Pool({ devices });
    pool.request(hosted('moe', 6, 20));
    pool.advance(10_000);

    expect(bookedBy(pool, 'moe')).to.deep.equal({ CUDA0: 6, CPU: 20 });
  });

  it('is booked with the rest where it runs on the CPU', () => {
    const pool = new Pool({ devices: [cpu(32)] });
    pool.request(hosted('moe', 6, 20));
    pool.advance(10_000);

    expect(bookedBy(pool, 'moe')).to.deep.equal({ CPU: 26 });
  });

  it('counts once where the GPU has no memory of its own', () => {
    const shared = aGpu('Metal', 32, { library: 'Metal', kind: 'integrated', sharesMainMemory: true });
    const pool = new Pool({ devices: [shared, cpu(32)] });
    pool.request(hosted('a', 6, 20));
    const second = pool.request(hosted('b', 6, 1));
    pool.advance(3_000);

    expect(bookedBy(pool, 'a')).to.deep.equal({ Metal: 6, CPU: 20 });
    expect(pool.ledger.devices.get('CPU')?.reservedBytes).to.equal(26 * GIB);
    expect(second.grantedAtMs, 'there are no 7 GiB left').to.equal(undefined);
  });

  for (const policy of policyNames)
    it(`makes idle models go that have their part of it, and nobody else: ${policy}`, () => {
      const pool = new Pool({
        devices: [aGpu('CUDA0', 24), aGpu('CUDA1', 24), cpu(32)],
        over: { plan: { ...settings().plan, policy } },
      });
      for (const model of [hosted('first', 6, 20), aModel('second', 6)]) {
        pool.request(model, { runMs: 10 });
        pool.advance(10_000);
      }
      const third = pool.request(hosted('third', 6, 20), { runMs: 1_000 });
      pool.advance(60_000);

      expect(third.grantedAtMs).to.be.a('number');
      expect(pool.kinds('evict')).to.deep.equal(['first']);
      expect(pool.states()).to.include('second idle');
    });

  it('is never more than there is, in a day of changes', () => {
    const pool = new Pool({ devices });
    const models = [hosted('a', 6, 20), hosted('b', 10, 14), hosted('c', 4, 10), aModel('d', 12)];
    const asked = Array.from({ length: 60 }, (_, i) => {
      pool.advance(7_000);
      for (const { reservedBytes, totalBytes } of pool.ledger.devices.values())
        expect(reservedBytes).to.be.at.most(totalBytes);
      return pool.request(models[(i * 7) % 4] ?? models[0]!, { runMs: 3_000 });
    });
    pool.advance(600_000);

    expect(asked.filter(({ grantedAtMs }) => grantedAtMs === undefined)).to.deep.equal([]);
    for (const { reservedBytes } of pool.ledger.devices.values()) expect(reservedBytes).to.equal(0);
  });

  it('refuses a model that could never have it, with the numbers', () => {
    const pool = new Pool({ devices });
    const answer = pool.request(hosted('moe', 6, 40, { placement: 'gpu-only' }));
    pool.advance(1_000);

    expect(answer.failure?.code).to.equal('does_not_fit');
    expect(answer.failure?.message).to.contain(
      'needs 6.0 GiB and 40.0 GiB of main memory (there are 32.0 GiB)',
    );
  });

  it('refuses a model that cannot have it beside a pinned one, wherever it would run', () => {
    for (const placement of ['gpu-only', 'cpu-only'] as const) {
      const pool = new Pool({ devices });
      pool.request(hosted('pinned', 6, 20, { pinned: true }), { runMs: 10 });
      pool.advance(10_000);
      const answer = pool.request(hosted('moe', 4, 14, { placement }), { runMs: 10 });
      const small = pool.request(hosted('small', 4, 6, { placement }), { runMs: 10 });
      pool.advance(20_000);

      expect(answer.failure?.code, placement).to.equal('does_not_fit');
      expect(answer.failure?.message).to.match(/4.0 GiB and 14.0 GiB of main memory .*pinned pinned/);
      expect(small.grantedAtMs, placement).to.be.a('number');
    }
  });

  it('sends no layers there', () => {
    const { launch } = aModel('moe', 6);
    const moe = { ...launch, layers: 33 };
    const layersOf = (reservation: Record<string, number>, hostBytes: number): string | undefined => {
      const args = serverArguments(
        { runnerId: 'r', modelName: 'moe', launch: moe, reservation, hostBytes },
        4000,
      );
      return args[args.indexOf('-ngl') + 1];
    };

    expect(layersOf({ CUDA0: 6, CPU: 20 }, 20)).to.equal('999');
    expect(layersOf({ CUDA0: 22, CPU: 31 }, 20), 'two thirds of 33').to.equal('22');
    expect(layersOf({ CPU: 26 }, 20)).to.equal('0');
  });
});

describe('a mixture of experts that no GPU could hold', () => {
  const aside = { expertsAside: { needBytes: 6 * GIB, hostBytes: 20 * GIB } };
  const mixture = (over = {}) => aModel('moe', 26, { needSource: 'predicted', ...aside, ...over });
  const started = (pool: Pool) => [...pool.ledger.runners.values()].map(({ spec }) => spec)[0];

  it('has its experts in main memory, and all layers on the GPU', () => {
    const pool = new Pool({ devices });
    const answer = pool.request(mixture());
    pool.advance(10_000);

    expect(answer.grantedAtMs).to.be.a('number');
    expect(bookedBy(pool, 'moe')).to.deep.equal({ CUDA0: 6, CPU: 20 });
    expect(started(pool)?.launch.expertsOnCpu).to.equal(true);
    expect(pool.decisions.find(({ kind }) => kind === 'load')?.reason).to.equal(
      'fits on CUDA0, its experts in main memory',
    );
  });

  it('is served by the same process when it is asked for again', () => {
    const pool = new Pool({ devices });
    pool.request(mixture(), { runMs: 100 });
    pool.advance(10_000);
    const again = pool.request(mixture(), { runMs: 100 });
    pool.advance(1_000);

    expect(again.runnerId).to.equal('runner-1');
  });

  for (const [title, where, over, booked] of [
    ['one GPU holds it whole', [aGpu('CUDA0', 32), cpu(32)], {}, { CUDA0: 26 }],
    ['two GPUs hold it whole', [aGpu('CUDA0', 16), aGpu('CUDA1', 16), cpu(32)], {}, { CUDA0: 13, CUDA1: 13 }],
    ['it may only run on the CPU', devices, { placement: 'cpu-only' }, { CPU: 26 }],
    ['there is no GPU', [cpu(32)], {}, { CPU: 26 }],
    ['not even the rest fits', [aGpu('CUDA0', 4), cpu(32)], {}, { CPU: 26 }],
  ] as const)
    it(`stays whole where ${title}`, () => {
      const pool = new Pool({ devices: [...where] });
      pool.request(mixture(over));
      pool.advance(10_000);

      expect(bookedBy(pool, 'moe')).to.deep.equal(booked);
      expect(started(pool)?.launch.expertsOnCpu).to.equal(undefined);
    });

  it('is refused where it is to be on GPUs only', () => {
    const pool = new Pool({ devices });
    const answer = pool.request(mixture({ placement: 'gpu-only' }));
    pool.advance(1_000);

    expect(answer.failure?.code).to.equal('does_not_fit');
  });

  it('does not learn from that what it needs whole', () => {
    const pool = new Pool({ devices });
    const learned: (number | null)[] = [];
    pool.scheduler.on('model.learned', ({ needBytes }) => learned.push(needBytes));
    pool.request(mixture());
    pool.advance(30_000);

    expect(learned.filter((bytes) => bytes !== null)).to.deep.equal([]);
  });
});
