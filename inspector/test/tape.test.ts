import { expect } from 'chai';
import fc from 'fast-check';
import { openFile } from '../src/history/open-file.ts';
import { noPictures, picturesAfter, type Pictures, type Told } from '../src/history/pictures.ts';
import { Tape } from '../src/history/tape.ts';

const unbounded = { ms: Infinity, size: Infinity };

const change = (topic: 'runners' | 'queue', upsert: object[], remove: string[] = []): Told =>
  ({ topic, type: 'change', data: { upsert, remove } }) as unknown as Told;
const event = (n: number): Told =>
  ({ topic: 'events', type: 'change', data: { entries: [{ to: `r${n}` }], leftOut: 0 } }) as unknown as Told;

/** Everything that can be looked at of a moment: lists as sets, and the last entries of streams. */
const seen = (pictures: Pictures | null) => ({
  runners: pictures?.runners.toSorted((a, b) => a.id.localeCompare(b.id)),
  queue: pictures?.queue.toSorted((a, b) => a.id.localeCompare(b.id)),
  events: pictures?.events.entries.slice(-300),
});

const anyTold: fc.Arbitrary<Told> = fc.oneof(
  fc
    .record({ topic: fc.constantFrom('runners' as const, 'queue' as const), id: fc.nat(4), n: fc.nat(9) })
    .map(({ topic, id, n }) => change(topic, [{ id: `${id}`, n, pad: 'x'.repeat(200) }])),
  fc
    .record({ topic: fc.constantFrom('runners' as const, 'queue' as const), id: fc.nat(4) })
    .map(({ topic, id }) => change(topic, [], [`${id}`])),
  fc.nat(99).map(event),
);
const anySteps = fc.array(fc.record({ afterMs: fc.nat(4_000), told: anyTold }), {
  minLength: 1,
  maxLength: 60,
});

/** A tape with some steps on it, and each step's time with the picture that it left. */
function recorded(steps: readonly { readonly afterMs: number; readonly told: Told }[]) {
  const tape = new Tape(unbounded);
  const moments: { atMs: number; pictures: Pictures }[] = [];
  let atMs = 0;
  let pictures = noPictures;
  for (const { afterMs, told } of steps) {
    atMs += afterMs;
    tape.add(atMs, told);
    pictures = picturesAfter(pictures, told);
    moments.push({ atMs, pictures });
  }
  return { tape, moments };
}

describe('the tape of what was told', () => {
  it('shows any moment as it was, in whatever order one looks', () => {
    fc.assert(
      fc.property(anySteps, fc.array(fc.nat(59), { maxLength: 20 }), (steps, looks) => {
        const { tape, moments } = recorded(steps);
        for (const look of looks) {
          const at = moments[look % moments.length];
          const last = moments.findLast(({ atMs }) => atMs === at?.atMs);
          if (last) expect(seen(tape.at(last.atMs))).to.deep.equal(seen(last.pictures));
        }
      }),
      { numRuns: 200 },
    );
  });

  it('shows its beginning for what is before it', () => {
    const { tape } = recorded([{ afterMs: 5_000, told: change('runners', [{ id: 'a' }]) }]);

    expect(tape.span).to.deep.equal({ fromMs: 5_000, toMs: 5_000 });
    expect(tape.at(0)?.runners).to.deep.equal([]);
    expect(new Tape(unbounded).at(0)).to.equal(null);
  });

  it('forgets what is older than its time, and keeps the rest whole', () => {
    const tape = new Tape({ ms: 60_000, size: Infinity });
    tape.add(0, change('runners', [{ id: 'first' }]));
    for (let atMs = 1_000; atMs < 600_000; atMs += 1_000) tape.add(atMs, event(atMs));
    const span = tape.span;

    expect(span?.toMs).to.equal(599_000);
    expect((span?.toMs ?? 0) - (span?.fromMs ?? 0)).to.be.within(60_000, 75_000);
    expect(tape.at(0)?.runners).to.deep.equal([{ id: 'first' }]);
  });

  it('never holds more than its size, and not much more than what is in sight of it', () => {
    const size = 8 * 1024 ** 2;
    const tape = new Tape({ ms: Infinity, size });
    for (let i = 0; i < 40_000; i++) {
      tape.add(i, change('runners', [{ id: `${i % 50}`, text: 'x'.repeat(1_000) }]));
      if (i % 1_000 === 0) expect(tape.size).to.be.below(size + 3 * 1024 ** 2);
    }

    expect(tape.span?.fromMs).to.be.above(20_000);
  });

  it('comes back from a file as it went in', () => {
    fc.assert(
      fc.property(anySteps, (steps) => {
        const { tape, moments } = recorded(steps);
        const header = JSON.stringify({ format: 'corral-recording', version: 1, scenario: null, charts: [] });
        const [back] = openFile('day.jsonl', [header, ...tape.lines()].join('\n'));

        expect(back?.tape.span).to.deep.equal(tape.span);
        for (const { atMs } of moments)
          expect(seen(back?.tape.at(atMs) ?? null)).to.deep.equal(seen(tape.at(atMs)));
      }),
      { numRuns: 50 },
    );
  });
});

describe('a file that cannot be opened', () => {
  const header = '{"format":"corral-recording","version":1,"scenario":null,"charts":[]}';
  const trace = '{"scenario":"s","policy":"default","atMs":1,"type":"queue","waiting":1}';
  for (const [what, text, says] of [
    ['is empty', '', /nothing to show/],
    ['is something else', 'hello\n', /day\.jsonl, line 1 is not JSON/],
    ['is JSON of something else', '{"a":1}\n', /no recording and no trace/],
    ['is of a later version', header.replace('1', '2'), /version 2.*Update Corral/],
    ['is cut off', `${header}\n{"at":1,"topic":"run`, /line 2 is not JSON/],
    [
      'has an unknown topic',
      `${header}\n{"at":1,"topic":"x","type":"change","data":{}}`,
      /line 2 is no part/,
    ],
    ['lacks a time', `${header}\n{"topic":"queue"}`, /line 2 has no time/],
    [
      'has data of another shape',
      `${header}\n{"at":1,"topic":"queue","type":"change","data":{"upsert":1}}`,
      /no part/,
    ],
    ['has a header only', `${header}\n`, /nothing was recorded/],
    ['is a trace without anything to show', `${trace}\n`, /older Corral/],
  ] as const)
    it(`says so when it ${what}`, () => {
      expect(() => openFile('day.jsonl', text)).to.throw(says);
    });
});
