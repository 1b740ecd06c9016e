import { expect } from 'chai';
import { parseDuration } from '../../src/config/parse-duration.ts';
import { parseSize } from '../../src/config/parse-size.ts';
import { findModel, nearMisses } from '../../src/config/model-names.ts';

describe('sizes', () => {
  for (const [text, bytes] of [
    ['450MiB', 450 * 1024 ** 2],
    ['20 GB', 20e9],
    ['24g', 24 * 1024 ** 3],
    ['1.5GiB', 1.5 * 1024 ** 3],
    ['17', 17],
    [17, 17],
    ['-1', null],
    ['12 parsecs', null],
    ['', null],
  ] as const)
    it(`reads ${JSON.stringify(text)} as ${bytes}`, () => expect(parseSize(text)).to.equal(bytes));
});

describe('durations', () => {
  for (const [text, ms] of [
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['250ms', 250],
    ['30d', 2_592_000_000],
    [10, 10_000],
    ['10', 10_000],
    [0, 0],
    [-1, Infinity],
    ['-5m', Infinity],
    ['forever', Infinity],
    ['soon', null],
    ['5 minutes', null],
  ] as const)
    it(`reads ${JSON.stringify(text)} as ${ms} ms`, () => expect(parseDuration(text)).to.equal(ms));
});

describe('model names', () => {
  const entries = [
    { name: 'qwen', aliases: ['Default'] },
    { name: 'Qwen', aliases: [] },
  ];

  it('are found exactly, then without regard to case, then without Ollama’s tag', () => {
    expect(findModel('Qwen', entries)?.name).to.equal('Qwen');
    expect(findModel('QWEN', entries)?.name).to.equal('qwen');
    expect(findModel('default:latest', entries)?.name).to.equal('qwen');
    expect(findModel('llama', entries)).to.equal(undefined);
  });

  it('are guessed, the nearest first', () => {
    expect(nearMisses('qwen2.5-32', ['llama-70b', 'qwen2.5-32b', 'qwen2-32b'])).to.deep.equal([
      'qwen2.5-32b',
      'qwen2-32b',
    ]);
  });
});
