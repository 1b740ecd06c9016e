import { expect } from 'chai';
import { pauseBeforeAsking } from '../../../actors/process/readiness-pace.ts';

describe('how often a process that loads is asked whether it is ready', () => {
  it('fits the length of the load: readiness is noticed late by a small part of it', () => {
    for (let loadMs = 500; loadMs < 5_000; loadMs += 100)
      expect(pauseBeforeAsking(loadMs) / loadMs).to.be.at.most(0.06);
  });

  it('is not asked without a pause at first, nor for ever more seldom', () => {
    expect(pauseBeforeAsking(0)).to.be.above(0);
    expect(pauseBeforeAsking(3_600_000)).to.equal(pauseBeforeAsking(60_000));
  });
});
