import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { StateFile } from '../../src/config/state-file.ts';
import { watchDisk } from '../support/disk.ts';
import { aGpu, aModel, Pool } from '../support/pool.ts';

/** `often` is asked for every 10 s; `seldom` a few times, 20 minutes apart. */
function useBoth(pool: Pool): void {
  for (let i = 0; i < 4; i++) {
    pool.request(aModel('seldom', 8), { runMs: 100 });
    for (let j = 0; j < 120; j++) {
      pool.request(aModel('often', 8), { runMs: 100 });
      pool.advance(10_000);
    }
  }
}

/** Both idle, `often` the longer one; then a third model wants the room of one of them. */
function whoGoes(pool: Pool): readonly string[] {
  pool.request(aModel('often', 8), { runMs: 100 });
  pool.advance(3_000);
  pool.request(aModel('seldom', 8), { runMs: 100 });
  pool.advance(3_000);
  pool.request(aModel('third', 12), { runMs: 100 });
  pool.advance(200_000);
  return pool.kinds('evict');
}

const demandIn = (path: string) => new StateFile(path, watchDisk()).demand;

describe('what is learned of demand', () => {
  it('chooses the victim, also after a restart', async () => {
    const devices = [aGpu('CUDA0', 24)];
    const before = new Pool({ devices });
    useBoth(before);
    const folder = mkdtempSync(join(tmpdir(), 'corral-'));
    try {
      const path = join(folder, 'learned.json');
      const state = new StateFile(path, watchDisk());
      state.learnDemand(before.ledger.savedDemand());
      await state.flush(5_000);

      const after = new Pool({ devices, demand: { ...demandIn(path) } });
      const fresh = new Pool({ devices });

      expect(whoGoes(after)).to.deep.equal(['seldom']);
      expect(whoGoes(fresh)).to.deep.equal(['often']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('is read from what an earlier version has kept, in bins', () => {
    // Gaps of 22 minutes, and of 11 s.
    const demand = { seldom: [...Array<number>(25).fill(0), 3], often: [...Array<number>(11).fill(0), 480] };

    expect(whoGoes(new Pool({ devices: [aGpu('CUDA0', 24)], demand }))).to.deep.equal(['seldom']);
  });

  it('holds how many wait for loads, how long answers take, and whether sparing pays, also after a restart', () => {
    const devices = [aGpu('CUDA0', 24)];
    const before = new Pool({ devices });
    const [one, other] = [
      aModel('one', 20, { launch: { ...aModel('one', 20).launch, slots: 4 } }),
      aModel('other', 20),
    ];
    for (let i = 0; i < 3; i++) {
      for (let client = 0; client < 4; client++) before.request(one, { runMs: 3_000 });
      before.advance(60_000);
      before.request(other, { runMs: 1_000 });
      before.advance(60_000);
    }
    const after = new Pool({ devices, demand: before.ledger.savedDemand() });

    expect(before.ledger.crowdOf(one)).to.equal(4);
    expect(before.ledger.serviceSecondsOf(one)).to.equal(3);
    expect(before.ledger.sparingOf('one')).to.be.lessThan(0.25);
    for (const { ledger } of [before, after]) {
      expect(ledger.crowdOf(one)).to.be.closeTo(4, 0.01);
      expect(ledger.serviceSecondsOf(one)).to.be.closeTo(3, 0.01);
      expect(ledger.sparingOf('one')).to.be.closeTo(before.ledger.sparingOf('one'), 0.01);
    }
  });

  it('is kept when a load is learned, and forgotten with its model', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'corral-'));
    try {
      const path = join(folder, 'learned.json');
      const state = new StateFile(path, watchDisk());
      state.learnDemand({ a: [0, 1, 2.5] });
      state.learn('a#1', { needBytes: 5, loadMs: 100 });
      await state.flush(5_000);
      expect(demandIn(path)).to.deep.equal({ a: [0, 1, 2.5] });
      state.learnDemand({});
      await state.flush(5_000);
      expect(demandIn(path)).to.deep.equal({});
      expect(new StateFile(path, watchDisk()).of('a#1')?.needBytes).to.equal(5);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
