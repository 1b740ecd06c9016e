import { expect } from 'chai';
import {
  closeness,
  emptyDemand,
  expectedWait,
  gapsFromBins,
  noteArrival,
  noteUse,
  restoreGaps,
  saveGaps,
  type Demand,
  type OwnAndPooled,
} from '../../../machines/planning/demand.ts';

/** A model that loads in `loadSeconds`, asked for so often with such gaps, each answered at once. */
function askedFor(count: number, gapSeconds: number, loadSeconds = 2): OwnAndPooled {
  let known: OwnAndPooled = { own: emptyDemand, pooled: emptyDemand };
  for (let i = 0; i <= count; i++)
    known = noteArrival(known.own, known.pooled, {
      nowMs: i * gapSeconds * 1000,
      wasIdle: true,
      loadSeconds,
    });
  return known;
}

const costOf = ({ own, pooled }: OwnAndPooled, quietSeconds: number, loadSeconds = 2): number =>
  expectedWait(own, pooled, quietSeconds, { ownSeconds: loadSeconds, otherSeconds: loadSeconds });

const lengths = (demand: Demand): number[] => saveGaps(demand).map(([seconds]) => seconds);

describe('demand', () => {
  it('makes a model dearer to unload the sooner it is wanted again', () => {
    expect(costOf(askedFor(20, 1), 0)).to.be.greaterThan(costOf(askedFor(20, 30), 0));
    expect(costOf(askedFor(20, 30), 0)).to.be.greaterThan(costOf(askedFor(20, 3_000), 0));
    expect(costOf(askedFor(20, 1), 0), 'its load and the rest of the other').to.be.within(2, 4);
  });

  it('makes it cheap once it has been quiet for longer than ever before', () => {
    expect(costOf(askedFor(20, 10), 3_600)).to.be.lessThan(0.1);
    expect(costOf({ own: emptyDemand, pooled: emptyDemand }, 0), 'never seen').to.be.within(0.05, 0.2);
  });

  it('goes by ratios: with all times ten times as long all is ten times as much', () => {
    for (const quiet of [0, 3, 8, 13, 40])
      expect(costOf(askedFor(20, 100, 20), 10 * quiet, 20)).to.be.closeTo(
        10 * costOf(askedFor(20, 10), quiet),
        1e-9,
      );
    expect(closeness(askedFor(20, 100, 20).own, 40)).to.be.closeTo(closeness(askedFor(20, 10).own, 4), 1e-12);
  });

  it('finds requests close together beside what a change takes, and nothing close that is hardly known', () => {
    expect(closeness(askedFor(100, 1).own, 4)).to.be.greaterThan(0.9);
    expect(closeness(askedFor(100, 24).own, 4), 'six times as long').to.be.closeTo(0.5, 0.05);
    expect(closeness(askedFor(1, 1).own, 4)).to.be.lessThan(0.25);
  });

  it('notes no gap while the model has something to do, and counts from the end of its last answer', () => {
    const { own, pooled } = askedFor(0, 1);
    const busy = noteArrival(own, pooled, { nowMs: 5_000, wasIdle: false, loadSeconds: 2 });
    const used = noteUse(busy.own, 60_000);
    const after = noteArrival(used, busy.pooled, { nowMs: 68_000, wasIdle: true, loadSeconds: 2 });

    expect(busy.own.total).to.equal(0);
    expect(after.own.total).to.equal(1);
    expect(Math.min(...lengths(after.own))).to.be.within(4, 8);
    expect(Math.max(...lengths(after.own))).to.be.within(8, 12);
  });

  it('is the same after a restart, whatever is asked for first then', () => {
    const before = askedFor(50, 10);
    const others = askedFor(1, 7, 0.3).pooled;
    const { own, pooled } = restoreGaps(saveGaps(before.own), others);
    const known = { own: noteUse(own, 0), pooled };

    expect(own.total).to.be.closeTo(before.own.total, 0.01);
    expect(costOf(known, 0)).to.be.closeTo(costOf(before, 0), 0.1);
  });

  it('reads gaps that an earlier version has kept in bins, at their lengths', () => {
    // The seventh bin is that of 2 to 2.8 s.
    const { own } = restoreGaps(gapsFromBins([0, 0, 0, 0, 0, 0, 0, 5]), emptyDemand);

    expect(own.total).to.equal(5);
    for (const seconds of lengths(own)) expect(seconds).to.be.within(1.9, 2.9);
  });
});
