import { spawn, type ChildProcess } from 'node:child_process';
import { expect } from 'chai';
import { createActor, setup } from 'xstate';
import { createWatchUse, type UsedByPid } from '../../../actors/process/watch-use.ts';
import type { UseEvent } from '../../../machines/effects.ts';
import type { Reservation } from '../../../machines/vocabulary.ts';

const MIB = 1024 ** 2;
const unknown: UsedByPid = () => Promise.resolve(null);

/** Holds the same all the time. */
let sleeper: ChildProcess;

/** Watches a process until it has told so often. */
function told(
  count: number,
  reservation: Reservation,
  usedByPid: UsedByPid,
  hostBytes = 0,
): Promise<Reservation[]> {
  return new Promise((resolve) => {
    const heard: Reservation[] = [];
    const watching = setup({
      types: { events: {} as UseEvent },
      actors: { watchUse: createWatchUse(usedByPid, 5) },
    }).createMachine({
      invoke: {
        src: 'watchUse',
        input: { runnerId: 'runner-1', pid: sleeper.pid ?? null, reservation, hostBytes },
      },
      on: {
        'use.measured': {
          actions: ({ event }) => {
            heard.push(event.use);
            if (heard.length < count) return;
            actor.stop();
            resolve(heard);
          },
        },
      },
    });
    const actor = createActor(watching).start();
  });
}

describe('what a runner really holds', () => {
  before(() => (sleeper = spawn('sleep', ['60'])));
  after(() => sleeper.kill());

  it('is its resident memory on the CPU', async () => {
    const [use] = await told(1, { CPU: 1_000 }, unknown);

    expect(use?.['CPU']).to.be.within(0.1 * MIB, 32 * MIB);
  });

  it('is what the driver says of its process on GPUs, and its private memory beside that', async () => {
    const [use] = await told(1, { CUDA0: 10 }, () => Promise.resolve({ CUDA0: 12 }));

    expect(use?.['CUDA0']).to.equal(12);
    expect(use?.['CPU']).to.be.within(1, 32 * MIB);
  });

  it('is its private memory alone where the driver does not tell, or tells of other devices', async () => {
    for (const usedByPid of [unknown, () => Promise.resolve({ CUDA1: 12 })]) {
      const [use] = await told(1, { CUDA0: 10 }, usedByPid);

      expect(Object.keys(use ?? {})).to.deep.equal(['CPU']);
    }
  });

  it('is told again while it grows, once more when it rests, and then no more', async () => {
    const held = [100, 200, 300, 300, 300, 300, 300, 400].map((mib) => mib * MIB);
    const uses = await told(5, { CUDA0: 10 }, () => {
      const bytes = (held.length > 1 ? held.shift() : held[0]) ?? 0;
      return Promise.resolve({ CUDA0: bytes });
    });

    expect(uses.map(({ CUDA0 = 0 }) => CUDA0 / MIB)).to.deep.equal([100, 200, 300, 300, 400]);
  });

  it('goes on being watched after the driver failed once', async () => {
    let asked = 0;
    const uses = await told(2, { CUDA0: 10 }, () =>
      asked++ === 0 ? Promise.reject(new Error('no driver')) : Promise.resolve({ CUDA0: 64 * MIB }),
    );

    expect(uses.map(({ CUDA0 }) => CUDA0)).to.deep.equal([undefined, 64 * MIB]);
  });
});
