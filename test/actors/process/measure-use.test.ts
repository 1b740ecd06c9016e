import { expect } from 'chai';
import { createActor, toPromise } from 'xstate';
import { createMeasureUse, type UsedByPid } from '../../../actors/process/measure-use.ts';
import type { Reservation } from '../../../machines/vocabulary.ts';

const measure = (reservation: Reservation, usedByPid: UsedByPid = () => Promise.resolve(null)) =>
  toPromise(
    createActor(createMeasureUse(usedByPid), {
      input: { runnerId: 'runner-1', pid: process.pid, reservation },
    }).start(),
  );

describe('what a runner really holds', () => {
  it('is its resident memory where that exceeds what was promised', async () => {
    const used = await measure({ CPU: 1_000 });

    expect(used?.['CPU']).to.be.greaterThan(10_000_000);
  });

  it('is not taken for less than promised: memory is taken as it is used', async () => {
    expect(await measure({ CPU: 1e15 })).to.equal(null);
  });

  it('is what the driver says of its process on GPUs', async () => {
    expect(await measure({ CUDA0: 10 }, () => Promise.resolve({ CUDA0: 12 }))).to.deep.equal({ CUDA0: 12 });
  });

  it('is unknown where the driver does not tell, or tells of other devices', async () => {
    expect(await measure({ CUDA0: 10 })).to.equal(null);
    expect(await measure({ CUDA0: 10 }, () => Promise.resolve({ CUDA1: 12 }))).to.equal(null);
  });
});
