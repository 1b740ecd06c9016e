import { expect } from 'chai';
import { aGpu, aModel, GIB, Pool } from '../../support/pool.ts';

const cpu = (gib: number) => aGpu('CPU', gib, { kind: 'cpu', library: 'CPU' });

/** Which of the models' processes read their files, one request for each after the other. */
function readers(pool: Pool, ...models: ReturnType<typeof aModel>[]): boolean[] {
  for (const model of models) {
    pool.request(model, { runMs: 10 });
    pool.advance(10_000);
  }
  return [...pool.world.processes.values()].map(({ spec }) => spec.launch.readsFile === true);
}

describe('a model file', () => {
  const file = (name: string, gib: number, over = {}) => aModel(name, 4, { fileBytes: gib * GIB, ...over });

  it('is mapped where main memory has room for it beside those that are mapped already, and read where not', () => {
    const pool = new Pool({ devices: [aGpu('CUDA0', 48), cpu(64)] });

    expect(readers(pool, file('a', 30), file('b', 20), file('c', 20), file('d', 8))).to.deep.equal([
      false,
      false,
      true,
      true,
    ]);
  });

  it('is read by a process that runs on the CPU alone', () => {
    const pool = new Pool({ devices: [aGpu('CUDA0', 24), cpu(64)] });

    expect(readers(pool, file('a', 1, { placement: 'cpu-only' }))).to.deep.equal([true]);
  });

  it('is read where a part of it goes to Metal and the rest to the CPU', () => {
    const metal = aGpu('Metal', 16, { kind: 'integrated', library: 'Metal' });
    const model = aModel('a', 20);
    const pool = new Pool({ devices: [metal, cpu(64)] });

    expect(readers(pool, { ...model, launch: { ...model.launch, layers: 40 } })).to.deep.equal([true]);
  });

  it('is mapped where its size or main memory is not known', () => {
    expect(readers(new Pool({ devices: [aGpu('CUDA0', 24)] }), file('a', 500))).to.deep.equal([false]);
    expect(readers(new Pool({ devices: [aGpu('CUDA0', 24), cpu(8)] }), aModel('a', 4))).to.deep.equal([
      false,
    ]);
  });

  it('T18: is no reason for a reload, however it was taken in', () => {
    const pool = new Pool({ devices: [aGpu('CUDA0', 24), cpu(32)] });

    expect(readers(pool, file('a', 20), file('b', 20), file('a', 20))).to.deep.equal([false, true]);
    expect(pool.kinds('load')).to.deep.equal(['a', 'b']);
  });
});
