import { expect } from 'chai';
import type { Decision } from '../src/live/picture.ts';
import { storyOf } from '../src/parts/decision-words.ts';
import { formatClock, formatDuration } from '../src/parts/format-duration.ts';
import { levelOf } from '../src/views/terminal/log-line.ts';

const decision = (seq: number, kind: Decision['kind'], runnerId: string | null): Decision => ({
  seq,
  at: '2026-01-01T00:00:00.000Z',
  kind,
  code: 'fits',
  model: 'a',
  runnerId,
  leaseId: null,
  reason: '',
  reservedBytes: null,
});

describe('decisions as a story', () => {
  const made = [
    decision(1, 'grant', 'runner-1'),
    decision(2, 'evict', 'runner-1'),
    decision(3, 'unload', 'runner-1'),
    decision(4, 'unload', 'runner-2'),
  ];

  it('are told latest first, an eviction once, and each request only when asked for', () => {
    expect(storyOf(made, false).map(({ seq }) => seq)).to.deep.equal([4, 2]);
    expect(storyOf(made, true).map(({ seq }) => seq)).to.deep.equal([4, 2, 1]);
  });
});

describe('a line of a log', () => {
  it('has the level that its words say', () => {
    const levels = [
      'srv  I main: model loaded',
      'srv  W load: odd value',
      'warn: llama_context: n_ctx_seq (4096) > n_ctx_train (2048)',
      'srv  E main: exiting due to model loading error',
      'llama_model_load: error loading model: missing tensor',
      'slot update: n_errors_seen = 0',
    ].map(levelOf);

    expect(levels).to.deep.equal(['info', 'warning', 'warning', 'error', 'error', 'info']);
  });
});

describe('a time', () => {
  it('that passes keeps its width', () => {
    expect([0, 7_000, 754_000, 11_100_000, -5].map(formatClock)).to.deep.equal([
      '0:00',
      '0:07',
      '12:34',
      '3 h 05',
      '0:00',
    ]);
  });

  it('that was measured is as exact as it is short', () => {
    expect([85, 2_040, 200_000].map(formatDuration)).to.deep.equal(['85 ms', '2.0 s', '3 min 20 s']);
  });
});
