import { expect } from 'chai';
import { request } from 'undici';
import { scenarioOf, simulate } from '../../src/simulation/simulate.ts';
import { toScenario } from '../../src/recording/to-scenario.ts';
import { settings as simulateSettings } from '../support/pool.ts';
import type { ScenarioInput } from '../../src/simulation/scenario/schema.ts';
import { chat, runtimes, startCorral, until, type Corral } from '../support/corral.ts';
import { writeModels, type TestModels } from '../support/models.ts';

/** Requests one after the other and at the same time, evictions, a client that leaves, a model that is stopped. */
async function session(corral: Corral): Promise<void> {
  const ask = (model: string, over: object = {}) =>
    corral.post('/v1/chat/completions', chat(model, { max_tokens: 4, ...over }));
  await ask('a');
  await Promise.all([ask('a'), ask('b'), ask('a')]);
  await ask('c');
  // Two of the three have room: one is not there, and whoever wants it has to wait.
  const loaded = corral.status().runners.map(({ model }) => model);
  const cold = ['a', 'b', 'c'].find((model) => !loaded.includes(model)) ?? '';
  const leaves = new AbortController();
  const left = request(`${corral.url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify(chat(cold)),
    signal: leaves.signal,
  }).catch(() => null);
  await until('it waits', () => corral.status().queue.some(({ model }) => model === cold));
  leaves.abort();
  await left;
  await Promise.all([ask('b'), ask('c')]);
  corral.scheduler.send({ type: 'model.unload', model: 'b', drainMs: 1_000 });
  await until('b is gone', () => corral.status().runners.every(({ model }) => model !== 'b'));
  await ask('b');
}

describe('a recorded session', () => {
  let models: TestModels;
  before(async function () {
    this.timeout(60_000);
    models = await writeModels(['a', 'b', 'c']);
  });
  after(() => models.remove());

  for (const runtime of runtimes)
    it(`is decided the same way when it is simulated, on ${runtime}`, async function () {
      this.timeout(120_000);
      // The three models are alike: which of two is wanted more may hang on less than a recording tells of, now and then.
      this.retries(2);
      const corral = await startCorral(runtime, {
        devices: { CPU: { memory: '450MiB' } },
        models: models.config(['a', 'b', 'c'], {
          a: { memory: '200MiB' },
          b: { memory: '200MiB' },
          c: { memory: '200MiB' },
        }),
      });
      let scenario: ScenarioInput;
      try {
        await session(corral);
        const answer = await request(`${corral.url}/api/v1/recording`);
        scenario = (await answer.body.json()) as ScenarioInput;
      } finally {
        await corral.close();
      }

      const result = simulate(scenarioOf(scenario));

      const live = scenario.expect?.decisions ?? [];
      expect(live).to.include.members(['unload b', 'grant c']);
      expect(
        result.decisions.map(({ kind, model }) => `${kind} ${model}`).slice(0, live.length),
      ).to.deep.equal(live);
      expect(result.failures).to.deep.equal([]);
      expect(JSON.stringify(scenario)).to.not.contain('hi');
    });

  it('says when more was asked than it keeps, and knows no step that it cannot play', () => {
    const scenario = toScenario({
      settings: simulateSettings(),
      devices: [],
      demand: {},
      preload: [],
      specs: new Map(),
      requests: [],
      runners: [],
      commands: [{ atMs: 5, command: { type: 'scheduler.drain', drainMs: Infinity } }],
      decisions: [],
      isCut: true,
    });
    expect(scenario.about).to.match(/beginning/);
    expect(scenarioOf(scenario).timeline).to.have.length(1);
  });
});
