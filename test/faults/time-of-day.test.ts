import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { KeyRates } from '../../src/auth/key-rates.ts';
import { lockFile } from '../../src/pull/pull-lock.ts';
import { momentOf } from '../../src/time-of-day.ts';

const HOUR_MS = 3_600_000;
const trueNow = Date.now;
const setClock = (offsetMs: number): void => void (Date.now = () => trueNow() + offsetMs);

describe('a time of day that is set anew', () => {
  afterEach(() => {
    Date.now = trueNow;
    momentOf(0);
  });

  for (const offsetMs of [-HOUR_MS, 24 * HOUR_MS])
    it(`times that are told are right again at once (by ${offsetMs / HOUR_MS} h)`, () => {
      setClock(offsetMs);

      const told = Date.parse(momentOf(performance.now()));

      expect(told).to.be.closeTo(trueNow() + offsetMs, 1_000);
    });

  it('the same moment is told in the same words as long as nobody sets it', () => {
    const told = new Set(Array.from({ length: 1_000 }, () => momentOf(1_234.5)));

    expect(told.size).to.equal(1);
  });

  it('a key whose minute is used up waits a minute at most (set back by 1 h)', async () => {
    const rates = new KeyRates();
    await rates.take('one', 1);

    setClock(-HOUR_MS);

    expect(await rates.take('one', 1)).to.be.within(1, 60);
  });

  it('a lock that was never written is kept for a moment only (set back by 1 h)', () => {
    const folder = mkdtempSync(join(tmpdir(), 'corral-lock-'));
    const target = join(folder, 'm.gguf');
    writeFileSync(`${target}.lock`, '');
    const seconds = (trueNow() + HOUR_MS) / 1_000;
    utimesSync(`${target}.lock`, seconds, seconds);

    lockFile(target)();

    rmSync(folder, { recursive: true });
  });
});
