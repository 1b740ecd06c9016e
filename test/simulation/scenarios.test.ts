import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { expect } from 'chai';
import { readScenario } from '../../src/simulation/read-scenario.ts';
import { simulate, type SimulationResult } from '../../src/simulation/simulate.ts';

const folder = fileURLToPath(new URL('../../scenarios', import.meta.url));
const files = readdirSync(folder).toSorted();

const misses = ({ failures }: SimulationResult): string[] =>
  failures.map(({ expectation, message, atMs }) => `${expectation}: ${message} (at ${atMs} ms)`);

describe('the scenarios', function () {
  // All of them together take a few seconds; the bound is what a person would still wait for.
  this.timeout(120_000);

  it('come out as expected under the default policy', () => {
    const failed = files.flatMap((file) =>
      misses(simulate(readScenario(join(folder, file)))).map((miss) => `${file}: ${miss}`),
    );

    expect(failed).to.deep.equal([]);
  });

  it("come out as told under Ollama's policy, where they tell", () => {
    const told = files
      .map((file) => ({ file, scenario: readScenario(join(folder, file)) }))
      .filter(({ scenario }) => scenario.ollama !== undefined);
    const failed = told.flatMap(({ file, scenario }) =>
      misses(simulate(scenario, { policy: 'ollama' })).map((miss) => `${file}: ${miss}`),
    );

    expect(failed).to.deep.equal([]);
    expect(told.length).to.be.greaterThan(10);
  });

  it('say in their first line what they show, and expect something', () => {
    const silent = files.filter((file) => {
      const [first = ''] = readFileSync(join(folder, file), 'utf8').split('\n');
      return !/^# .{20,}/.test(first) || readScenario(join(folder, file)).expect === undefined;
    });

    expect(silent).to.deep.equal([]);
  });
});
