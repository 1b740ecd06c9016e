import { expect } from 'chai';
import type { Device, Runner } from '../src/live/picture.ts';
import { barOf } from '../src/views/overview/segments.ts';

const GIB = 1024 ** 3;

const aDevice = (over: Partial<Device> = {}): Device => ({
  id: 'CUDA0',
  name: 'A GPU',
  kind: 'discrete',
  totalBytes: 24 * GIB,
  limitBytes: 24 * GIB,
  freeBytes: null,
  reservedBytes: 0,
  sharesMainMemory: false,
  claimedBytes: 0,
  othersBytes: 0,
  pause: null,
  ...over,
});

const aRunner = (id: string, gib: number, over: Partial<Runner> = {}): Runner => ({
  id,
  model: id,
  state: 'idle',
  reason: '',
  leases: 0,
  slots: 1,
  pid: 1,
  reservedBytes: { CUDA0: gib * GIB },
  needBytes: gib * GIB,
  needSource: 'measured',
  measuredBytes: null,
  keepAliveMs: 1,
  pinned: false,
  loadMs: null,
  progress: null,
  since: '',
  idleUntil: null,
  ...over,
});

const laidOut = (device: Device, runners: readonly Runner[]): (string | number)[][] =>
  barOf(device, runners).segments.map(({ id, start, size }) => [id, start * 24, size * 24]);

describe('the bar of a device', () => {
  it('has its runners one after the other, and other programs at its end', () => {
    const device = aDevice({ othersBytes: 6 * GIB });
    const elsewhere = aRunner('c', 4, { reservedBytes: { CUDA1: 4 * GIB } });

    expect(laidOut(device, [aRunner('a', 8), aRunner('b', 4), elsewhere])).to.deep.equal([
      ['a', 0, 8],
      ['b', 8, 4],
      ['others', 18, 6],
    ]);
    expect(barOf(device, [aRunner('a', 8), aRunner('b', 4)]).freeBytes).to.equal(6 * GIB);
  });

  it('marks a limit, or is the limit where that is small', () => {
    expect(barOf(aDevice({ limitBytes: 18 * GIB }), []).limit).to.equal(0.75);
    expect(barOf(aDevice({ limitBytes: 6 * GIB }), [])).to.include({ limit: null, scaleBytes: 6 * GIB });
  });

  it('shows other programs within a small limit only where they take from it', () => {
    const small = aDevice({ limitBytes: 6 * GIB });

    expect(barOf({ ...small, othersBytes: 10 * GIB }, []).segments).to.deep.equal([]);
    expect(barOf({ ...small, othersBytes: 21 * GIB }, []).segments).to.have.length(1);
    expect(barOf({ ...small, othersBytes: 21 * GIB }, []).freeBytes).to.equal(3 * GIB);
  });

  it('shows what is promised only beyond what victims still hold', () => {
    const device = aDevice({ claimedBytes: 20 * GIB });

    expect(laidOut(device, [aRunner('a', 22)])).to.deep.equal([
      ['a', 0, 22],
      ['claimed', 22, 2],
    ]);
  });

  it('fills a part as its runner loads, and to what it was seen to hold', () => {
    const held = (over: Partial<Runner>): number | undefined =>
      barOf(aDevice(), [aRunner('a', 8, over)]).segments[0]?.held;

    expect(held({ state: 'loading', progress: 0.25 })).to.equal(0.25);
    expect(held({ state: 'loading' })).to.equal(0);
    expect(held({ measuredBytes: 6 * GIB })).to.equal(0.75);
    expect(held({})).to.equal(1);
  });
});
