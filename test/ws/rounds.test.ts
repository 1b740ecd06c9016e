import { expect } from 'chai';
import { defaultWsLimits as limits } from '../../src/ws/limits.ts';
import { Rounds } from '../../src/ws/rounds.ts';
import { until } from '../support/corral.ts';

describe('rounds among readers', () => {
  /** One that takes its time, and counts how often it was its turn. */
  const slowSender = (tookMs: number) => ({
    turns: 0,
    flush() {
      this.turns += 1;
      const endMs = performance.now() + tookMs;
      while (performance.now() < endMs);
    },
  });

  it('give each its turn, once for however much it has', async () => {
    const rounds = new Rounds(limits);
    const senders = Array.from({ length: 50 }, () => slowSender(0));

    for (const sender of [...senders, ...senders]) rounds.enter(sender);
    await until('all had their turn', () => senders.every(({ turns }) => turns > 0));

    expect(senders.map(({ turns }) => turns)).to.deep.equal(senders.map(() => 1));
  });

  it('let everybody else do something in between', async () => {
    const rounds = new Rounds(limits);
    const senders = Array.from({ length: 100 }, () => slowSender(0.1));
    const isOver = (): boolean => senders.every(({ turns }) => turns > 0);
    let others = 0;
    const other = (): void => {
      others += 1;
      if (!isOver()) setImmediate(other);
    };

    for (const sender of senders) rounds.enter(sender);
    setImmediate(other);
    await until('all had their turn', isOver);

    expect(others).to.be.at.least(10);
  });

  it('leave out who has left, and begin anew for who comes later', async () => {
    const rounds = new Rounds(limits);
    const [one, two] = [slowSender(0), slowSender(0)];

    rounds.enter(one);
    rounds.enter(two);
    rounds.leave(one);
    await until('the other had its turn', () => two.turns === 1);
    rounds.enter(one);
    await until('it had its turn', () => one.turns === 1);

    expect(two.turns).to.equal(1);
  });
});
