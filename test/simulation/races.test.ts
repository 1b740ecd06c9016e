import { expect } from 'chai';
import { loneRaces, racesOf } from '../../bench/races/families.ts';
import { play } from '../../bench/races/play.ts';
import type { Race } from '../../bench/races/race.ts';

/** From this change of models on it is known that nobody else is there. */
const KNOWN_FROM = 3;

/** How much longer than without any deliberate wait the longest of the later waits is. */
function longestExcess(race: Race): number {
  const atOnce = play(race, 'default', 0).waits;
  const { waits } = play(race, 'default');
  return Math.max(...waits.slice(KNOWN_FROM).map((wait, i) => wait / (atOnce[KNOWN_FROM + i] ?? Infinity)));
}

describe('races', function () {
  this.timeout(60_000);

  it('somebody alone who changes between models is not made to wait, from the third change on', () => {
    for (const race of loneRaces()) expect(longestExcess(race), race.id).to.be.within(0.9, 1.1);
  });

  it('are the same for the same seed, and never have memory for all models', () => {
    const races = racesOf(2, 1);

    expect(racesOf(2, 1)).to.deep.equal(races);
    expect(racesOf(2, 2)).to.not.deep.equal(races);
    for (const { id, models, memory } of races)
      expect(memory, id).to.be.lessThan(models.reduce((sum, { size }) => sum + size, 0));
  });

  it('give the same answers however often they are played', () => {
    const [race] = racesOf(1, 3);
    if (!race) throw new Error('there is no race');

    expect(play(race, 'default')).to.deep.equal(play(race, 'default'));
  });
});
