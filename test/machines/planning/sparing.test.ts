import { expect } from 'chai';
import {
  noteAskedFor,
  noteReplaced,
  noteSucceeded,
  unknownSparing,
  type Sparing,
} from '../../../machines/planning/sparing.ts';

/** It goes for another model that was asked for at 10 s and is ready at 20 s; it is itself asked for at `atMs`, or not at all. */
function evicted(before: Sparing, atMs: number | null): Sparing {
  const early = atMs !== null && atMs < 10_000 ? noteAskedFor(before, atMs) : before;
  const replaced = noteReplaced(early, 'other', 10_000);
  const late = atMs !== null && atMs >= 10_000 ? noteAskedFor(replaced, atMs) : replaced;
  return noteSucceeded(late, 'other');
}

const times = (count: number, atMs: number | null): Sparing =>
  Array.from({ length: count }).reduce<Sparing>((sparing) => evicted(sparing, atMs), unknownSparing);

describe('sparing', () => {
  it('pays half before anything is known', () => {
    expect(unknownSparing.pays).to.equal(0.5);
  });

  it('pays the less the more often nobody has asked for the model until its successor was ready', () => {
    expect(times(1, null).pays).to.be.within(0.3, 0.4);
    expect(times(5, null).pays).to.be.lessThan(0.1);
    expect(times(5, 9_000).pays, 'asked for before the other').to.be.lessThan(0.1);
  });

  it('pays the more the more often somebody has', () => {
    expect(times(5, 15_000).pays).to.be.greaterThan(0.9);
  });

  it('learns anew when things change', () => {
    const back = Array.from({ length: 4 }).reduce<Sparing>((one) => evicted(one, 15_000), times(10, null));

    expect(back.pays).to.be.greaterThan(0.7);
  });

  it('is learned only from the model that it had to go for', () => {
    const replaced = noteReplaced(unknownSparing, 'other', 10_000);

    expect(noteSucceeded(replaced, 'another one')).to.equal(replaced);
  });
});
