import { expect } from 'chai';
import { gapsOf } from '../../bench/swap/gaps.ts';

describe('the gaps of a change of models', () => {
  it('are between the end of one process and the next, and from there to the first byte', () => {
    const moments = [
      { what: 'start', atMs: 0 },
      { what: 'ready', atMs: 10 },
      { what: 'exit', atMs: 20 },
      { what: 'start', atMs: 23 },
      { what: 'ready', atMs: 40 },
    ] as const;

    expect(gapsOf(moments, [11, 45])).to.deep.equal([{ exitToStartMs: 3, readyToFirstByteMs: 5 }]);
  });

  it('are none of a process that was never ready', () => {
    const moments = [
      { what: 'start', atMs: 0 },
      { what: 'exit', atMs: 20 },
      { what: 'start', atMs: 23 },
    ] as const;

    expect(gapsOf(moments, [])).to.deep.equal([]);
  });
});
