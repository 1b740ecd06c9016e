import { expect } from 'chai';
import { recoveryPauseMs } from '../../../machines/planning/recovery.ts';

describe('how often a device is read whose memory comes back', () => {
  it('is noticed late by a part of the time that it takes', () => {
    let waitedMs = 0;
    for (let readings = 1; readings < 40; readings++) {
      const pauseMs = recoveryPauseMs(readings, Infinity);
      if (waitedMs > 0) expect(pauseMs / (waitedMs + pauseMs)).to.be.below(0.6);
      if (waitedMs > 1_000) expect(pauseMs / (waitedMs + pauseMs)).to.be.below(0.25);
      waitedMs += pauseMs;
    }
  });

  it('has a longest pause', () => {
    expect(recoveryPauseMs(1, 250)).to.be.below(250);
    expect(recoveryPauseMs(100, 250)).to.equal(250);
    expect(recoveryPauseMs(1, 0)).to.equal(0);
  });
});
