import { expect } from 'chai';
import { fittedParts, parseFitRows } from '../../../machines/planning/fit-rows.ts';

const MIB = 1024 ** 2;
/** With a GPU as without one llama.cpp v0.4 prints these on its standard output, and its log elsewhere. */
const GPU = 'CUDA0 17904 384 898 \nHost 58259 0 12 \n';

describe('what llama-fit-params says', () => {
  it('is rounded up for each device', () => {
    expect(parseFitRows(GPU)).to.deep.equal([
      { device: 'CUDA0', modelBytes: 17_905 * MIB, contextBytes: 385 * MIB, computeBytes: 899 * MIB },
      { device: 'Host', modelBytes: 58_260 * MIB, contextBytes: 0, computeBytes: 13 * MIB },
    ]);
  });

  for (const [title, text] of [
    ['nothing', ''],
    ['an error', 'error: invalid argument: --mmproj\n'],
    ['a device without main memory after it', 'CUDA0 1 2 3 \n'],
    ['no weights at all', 'Host 0 5 5 \n'],
    ['another table', 'Host 173 2048\n'],
  ] as const)
    it(`is no answer when it is ${title}`, () => expect(parseFitRows(text)).to.equal(null));

  it('is a device’s and main memory’s, and what it does not count stays as predicted', () => {
    const parts = fittedParts(parseFitRows(GPU) ?? [], [
      { of: 'weights', bytes: 1 },
      { of: 'experts', bytes: 2, inMainMemory: true },
      { of: 'projector', bytes: 3 },
      { of: 'draft model', bytes: 4, inMainMemory: true },
    ]);

    expect(parts.map(({ of, bytes, inMainMemory }) => [of, bytes, inMainMemory ?? false])).to.deep.equal([
      ['weights', 17_905 * MIB, false],
      ['KV cache', 385 * MIB, false],
      ['compute buffers', 899 * MIB, false],
      ['weights', 58_260 * MIB, true],
      ['compute buffers', 13 * MIB, true],
      ['projector', 3, false],
      ['draft model', 4, true],
    ]);
  });

  it('is all of it where there is no GPU', () => {
    const parts = fittedParts(parseFitRows('Host 3917 2048 120 \n') ?? [], []);

    expect(parts.some(({ inMainMemory }) => inMainMemory)).to.equal(false);
  });
});
