import { expect } from 'chai';
import { scenarioOf, simulate, type ScenarioInput } from '../../src/simulation/simulate.ts';

/** Two models that do not fit together: A is busy when B comes. */
const swap = (over: Partial<ScenarioInput> = {}) =>
  scenarioOf({
    devices: { CUDA0: '24GiB' },
    models: { A: { needs: '16GiB' }, B: { needs: '16GiB', loads: '2s' } },
    timeline: [
      { at: '0s', request: 'A', as: 'a', for: '20s' },
      { at: '10s', request: 'B', as: 'b', for: '1s' },
    ],
    ...over,
  });

const keysOf = (expectations: ScenarioInput['expect']): string[] =>
  simulate(swap({ expect: expectations })).failures.map(({ expectation }) => expectation);

describe('a simulation', () => {
  it('tells the limit of a device', () => {
    const { devices } = simulate(swap({ devices: { CUDA0: { memory: '24GiB', limit: '17GiB' } } }));

    expect(devices[0]).to.include({ totalBytes: 24 * 1024 ** 3, limitBytes: 17 * 1024 ** 3 });
  });

  it('tells what became of each request, of each runner and of the memory', () => {
    const result = simulate(swap());

    expect(result.requests.map(({ id, outcome, runnerId }) => [id, outcome, runnerId])).to.deep.equal([
      ['a', 'served', 'runner-1'],
      ['b', 'served', 'runner-2'],
    ]);
    expect(result.runners[0]?.spans.map(({ state }) => state)).to.deep.equal([
      'loading',
      'ready',
      'unloading',
      'vram-recovering',
      'gone',
    ]);
    expect(Math.max(...(result.devices[0]?.samples ?? []).map(({ heldBytes }) => heldBytes))).to.equal(
      16 * 1024 ** 3,
    );
    expect(result.measures).to.include({ loads: 2, evictions: 1, loadSeconds: 7 });
    expect(Math.max(...result.queue.map(({ waiting }) => waiting))).to.equal(1);
  });

  it('gives the same bytes for the same script', () => {
    expect(JSON.stringify(simulate(swap()))).to.equal(JSON.stringify(simulate(swap())));
  });

  it('is the same whatever is looked at on the way', () => {
    const looked = simulate(swap({ expect: { moments: [{ at: '3s' }, { at: '12.34s' }] } }));

    expect(looked.decisions).to.deep.equal(simulate(swap()).decisions);
  });

  for (const { title, wanted, keys } of [
    {
      title: 'another time',
      wanted: { requests: { b: { granted: '12s' } } },
      keys: ['expect.requests.b.granted'],
    },
    {
      title: 'a grant that must not be',
      wanted: { requests: { b: { granted: 'never' } } },
      keys: ['expect.requests.b.granted'],
    },
    {
      title: 'an error that does not come',
      wanted: { requests: { a: { error: 'stopped' } } },
      keys: ['expect.requests.a.error'],
    },
    { title: 'another outcome', wanted: { requests: { a: 'lost' } }, keys: ['expect.requests.a'] },
    {
      title: 'another device',
      wanted: { requests: { a: { on: 'CPU' } } },
      keys: ['expect.requests.a.on'],
    },
    {
      title: 'another runner',
      wanted: { requests: { b: { runner: 'with a' } } },
      keys: ['expect.requests.b.runner'],
    },
    { title: 'another order', wanted: { order: ['b', 'a'] }, keys: ['expect.order'] },
    {
      title: 'other numbers of loads and evictions',
      wanted: { loads: 1, evictions: { B: 1 } },
      keys: ['expect.loads', 'expect.evictions.B'],
    },
    { title: 'other victims', wanted: { evicted: [] }, keys: ['expect.evicted'] },
    {
      title: 'a decision that was not taken in that order',
      wanted: { decisions: ['load B', 'evict A'] },
      keys: ['expect.decisions.1'],
    },
    {
      title: 'what must never be',
      wanted: { never: [{ evicted: 'A' }, { held: 'CUDA0', above: '1GiB' }, { waiting: 0 }] },
      keys: ['expect.never.0', 'expect.never.1', 'expect.never.2'],
    },
    {
      title: 'what is not to be seen at a time, and why somebody waits',
      wanted: {
        moments: [{ at: '12s', loaded: ['B'], waiting: 0, states: { A: 'idle' }, why: { b: 'the weather' } }],
      },
      keys: ['loaded', 'states.A', 'waiting', 'why.b'].map((key) => `expect.moments.0.${key}`),
    },
    {
      title: 'what is not there at the end',
      wanted: { end: { processes: 0, held: { CUDA0: '0' } } },
      keys: ['expect.end.processes', 'expect.end.held.CUDA0'],
    },
  ] satisfies { title: string; wanted: ScenarioInput['expect']; keys: string[] }[])
    it(`notices ${title}`, () => {
      expect(keysOf(wanted)).to.deep.equal(keys);
    });

  it('says when an expectation failed, and shows the decisions around that time', () => {
    const [failure] = simulate(swap({ expect: { never: [{ evicted: 'A' }] } })).failures;

    expect(failure?.atMs).to.be.within(25_000, 26_000);
    expect(failure?.message).to.match(/^A was evicted: B needs 16\.0 GiB on CUDA0/);
    expect(failure?.decisions.map(({ kind, model }) => `${kind} ${model}`)).to.include('evict A');
  });

  it('plays the same script under another policy', () => {
    const result = simulate(swap({ ollama: { evicted: ['A'] } }), { policy: 'ollama' });

    expect(result).to.include({ policy: 'ollama', isChecked: true });
    expect(result.failures).to.deep.equal([]);
  });

  it('ends though a request never does', () => {
    const held = swap({ timeline: [{ at: '0s', request: 'A', as: 'a' }] });

    expect(simulate(held).requests[0]?.outcome).to.equal('running');
  });
});
