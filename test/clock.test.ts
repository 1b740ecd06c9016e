import { expect } from 'chai';
import { clockOver, realClock } from '../src/clock.ts';
import { VirtualClock } from '../src/simulation/virtual-clock.ts';

const DAY_MS = 86_400_000;
const LONGEST_MS = 2 ** 31 - 1;

/** A platform's timers in virtual time: fractions are dropped, and what is too long fires after 1 ms, as Node's do. */
function aPlatform(delayOf: (delayMs: number) => number = Math.trunc) {
  const virtual = new VirtualClock();
  const clock = clockOver({
    now: virtual.now,
    setTimeout: (fire, delayMs) => virtual.setTimeout(fire, delayMs > LONGEST_MS ? 1 : delayOf(delayMs)),
    clearTimeout: virtual.clearTimeout,
  });
  return { virtual, clock };
}

describe('the real clock', () => {
  for (const delayMs of [0, 0.3, 1, 1.7, 299.6, 300, LONGEST_MS, LONGEST_MS + 0.5, 30 * DAY_MS, 400 * DAY_MS])
    it(`fires after ${delayMs} ms, never before and within 1 ms`, () => {
      const { virtual, clock } = aPlatform();
      virtual.advance(1_000.4);
      let firedAtMs = NaN;

      clock.setTimeout(() => (firedAtMs = virtual.now()), delayMs);
      virtual.advance(delayMs + 10);

      expect(firedAtMs).to.be.within(1_000.4 + delayMs, 1_000.4 + delayMs + 1);
    });

  it('never fires early over timers that do, by a tenth', () => {
    const { virtual, clock } = aPlatform((delayMs) => delayMs * 0.9);
    let firedAtMs = NaN;

    clock.setTimeout(() => (firedAtMs = virtual.now()), 10_000);
    virtual.advance(20_000);

    expect(firedAtMs).to.be.within(10_000, 10_001);
  });

  it('can be told to forget a timer, also one that was set again', () => {
    const { virtual, clock } = aPlatform();
    let fired = 0;
    const timers = [10, 30 * DAY_MS, Infinity].map((delayMs) => clock.setTimeout(() => fired++, delayMs));

    virtual.advance(9);
    for (const timer of timers.slice(0, 1)) clock.clearTimeout(timer);
    virtual.advance(25 * DAY_MS);
    for (const timer of timers.slice(1)) clock.clearTimeout(timer);
    virtual.advance(100 * DAY_MS);

    expect(fired).to.equal(0);
    expect(virtual.pending).to.equal(0);
  });

  it('arms nothing for ever, nor for what is no number', () => {
    const { virtual, clock } = aPlatform();

    for (const delayMs of [Infinity, NaN]) clock.setTimeout(() => expect.fail('it fired'), delayMs);

    expect(virtual.pending).to.equal(0);
  });

  it('goes by its own time in real life: no timer of 200 fires before its moment', async () => {
    const early: number[] = [];
    const timers = Array.from({ length: 200 }, (_, i) => {
      const delayMs = (i * 37) % 50.3;
      const dueMs = realClock.now() + delayMs;
      return new Promise<void>((resolve) => {
        realClock.setTimeout(() => {
          if (realClock.now() < dueMs) early.push(dueMs - realClock.now());
          resolve();
        }, delayMs);
      });
    });

    await Promise.all(timers);

    expect(early).to.deep.equal([]);
  });
});
