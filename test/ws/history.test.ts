import { expect } from 'chai';
import { Feeds } from '../../src/ws/feeds.ts';
import { History } from '../../src/ws/history.ts';
import { defaultWsLimits } from '../../src/ws/limits.ts';
import { VirtualClock } from '../../src/simulation/virtual-clock.ts';

describe('what is kept of what was told', () => {
  /** Feeds of one number that changes. */
  const aHistory = (bounds = { ms: 600_000, bytes: 1_000_000 }) => {
    const clock = new VirtualClock();
    let value = 0;
    let takes = 0;
    let told = -1;
    const touches = new Set<() => void>();
    const feeds = new Feeds(
      (_, touch) => {
        touches.add(touch);
        return {
          snapshot: () => ({ value }),
          take: () => {
            takes += 1;
            if (told === value) return null;
            return { value: (told = value) };
          },
          close: () => void touches.delete(touch),
        };
      },
      clock,
      defaultWsLimits,
    );
    const history = new History(feeds, bounds, clock.now);
    return {
      clock,
      feeds,
      history,
      set: (next: number) => {
        value = next;
        for (const touch of touches) touch();
      },
      takes: () => takes,
      lines: () =>
        history
          .lines()
          .map((line) => JSON.parse(line) as { at: number; type: string; data: { value: number } }),
    };
  };

  it('begins with everything as it is, and has each change with its time', () => {
    const { clock, set, lines } = aHistory();
    expect(lines().map(({ type }) => type)).to.deep.equal(Array(6).fill('snapshot'));

    clock.advance(1_000);
    set(7);
    clock.advance(1_000);

    expect(lines().at(-1)).to.deep.include({ at: 1_250, type: 'change', data: { value: 7 } });
  });

  it('works out changes at leisure while nobody else follows', () => {
    const { clock, set, takes } = aHistory();
    const before = takes();

    for (let i = 1; i <= 100; i++) {
      set(i);
      clock.advance(10);
    }

    expect(takes() - before).to.be.at.most(6 * 4);
  });

  it('forgets the oldest, by time and by size', () => {
    const { clock, set, lines, history } = aHistory({ ms: 120_000, bytes: 1_000_000 });
    for (let i = 1; i <= 600; i++) {
      set(i);
      clock.advance(1_000);
    }
    expect(lines()[0]?.type).to.equal('snapshot');
    expect(lines()[0]?.at).to.be.within(600_000 - 200_000, 600_000 - 100_000);

    const small = aHistory({ ms: 600_000, bytes: 20_000 });
    for (let i = 1; i <= 600; i++) {
      small.set(i);
      small.clock.advance(1_000);
    }
    expect(small.history.lines().join('').length).to.be.below(30_000);
    history.close();
    expect(history.lines()).to.deep.equal([]);
  });
});
