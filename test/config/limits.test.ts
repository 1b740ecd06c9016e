import { expect } from 'chai';
import { parseConfig } from '../../src/config/load-config.ts';
import { settingsOf } from '../../src/serve.ts';

describe('limits', () => {
  it('say how long a process may take to end before it is killed', () => {
    const graceOf = (text: string): number => settingsOf(parseConfig(text)).runner.terminateGraceMs;

    expect(graceOf('')).to.equal(5_000);
    expect(graceOf('limits: { terminate: 90s }')).to.equal(90_000);
    expect(() => parseConfig('limits: { terminate: 0 }')).to.throw(/limits\.terminate: expected/);
  });
});
