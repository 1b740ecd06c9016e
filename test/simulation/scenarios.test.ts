import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { readScenario, simulate } from '../../src/simulation/simulate.ts';

const folder = fileURLToPath(new URL('../../scenarios/', import.meta.url));

/** Every scenario file, under the policies that it has expectations for. */
describe('scenarios', () => {
  for (const file of readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .toSorted()) {
    const scenario = readScenario(join(folder, file));
    for (const policy of ['default', 'ollama'] as const) {
      if (policy === 'ollama' && !scenario.ollama) continue;
      it(`${file} goes as expected under ${policy}`, () => {
        const { failures } = simulate(scenario, { policy });

        expect(failures.map(({ expectation, message }) => `${expectation}: ${message}`)).to.deep.equal([]);
      });
    }
  }

  it('give the same bytes each time', () => {
    const scenario = readScenario(join(folder, 'i01-victim-is-not-resurrected.yaml'));

    expect(JSON.stringify(simulate(scenario))).to.equal(JSON.stringify(simulate(scenario)));
  });
});
