import { expect } from 'chai';
import { configSchema } from '../../src/config/schema.ts';
import { strangeSettings } from '../../src/config/strange-settings.ts';

const told = (policy: object): string[] => strangeSettings(configSchema.parse({ policy }));

describe('settings that are probably not meant as they are', () => {
  it('tell of a gamma from before, and what it means now', () => {
    expect(told({ gamma: 12 })[0]).to.match(/^policy\.gamma is 12: .*0\.4 is the default.*1 throughput/);
  });

  it('are none of the defaults', () => {
    expect(told({})).to.deep.equal([]);
    expect(told({ gamma: 1 })).to.deep.equal([]);
  });
});
