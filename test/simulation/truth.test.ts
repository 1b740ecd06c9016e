import { expect } from 'chai';
import { LedgerReader } from '../../machines/scheduler/ledger-reader.ts';
import { newTables } from '../../machines/scheduler/tables.ts';
import { Recorder } from '../../src/simulation/scenario/recorder.ts';
import { scenarioOf, simulate } from '../../src/simulation/simulate.ts';
import { World, type WorldProcess } from '../../src/simulation/world.ts';
import { GIB, settings } from '../support/pool.ts';

const G0 = { id: 'G0', name: 'G0', library: 'CUDA', kind: 'discrete', totalBytes: 24 * GIB } as const;

/** Processes that nobody has asked for, as a scheduler that is wrong would start them. */
function worldWith(models: readonly string[], over: { othersBytes?: number } = {}): World {
  const world = new World();
  world.devices.set('G0', { reading: G0, othersBytes: 0, recoveryMs: 0, fault: 'none', ...over });
  for (const [i, modelName] of models.entries()) {
    const spec = { runnerId: `runner-${i + 1}`, modelName, reservation: { G0: 10 * GIB } };
    world.processes.set(spec.runnerId, { ...aProcess, spec: { ...aProcess.spec, ...spec } });
  }
  return world;
}

const aProcess: WorldProcess = {
  spec: { runnerId: '', modelName: '', launch: aLaunch(), reservation: {} },
  model: { loadMs: 0, exitMs: 0, realBytes: null, fault: null },
  startedAtMs: 0,
  loadMs: 0,
  whole: { G0: 10 * GIB },
  isAlive: true,
  exit: () => {},
};

function aLaunch(): WorldProcess['spec']['launch'] {
  const none = { adapterPaths: [], extraArgs: [] };
  return { ...none, runtime: 'llama-server', modelPath: '', contextTokens: 0, slots: 1, embedding: false };
}

/** The rules that are broken in a world, to the eye of who watches every scenario. */
function brokenIn(world: World, maxRunners: number | null): string[] {
  const { plan, ...rest } = settings();
  const tables = newTables({ ...rest, plan: { ...plan, maxRunners } });
  const recorder = new Recorder(world, () => new LedgerReader(tables, world.clock.now), true);
  recorder.look();
  return [...new Set(recorder.breaches.map(({ rule }) => rule))];
}

describe('the simulator tells the truth', () => {
  it('a process holds memory from its spawn on, more and more until it has loaded', () => {
    const result = simulate(
      scenarioOf({
        devices: { CUDA0: '24GiB' },
        models: { A: { needs: '20GiB', loads: '10s' } },
        timeline: [
          { at: '0s', request: 'A', as: 'a', for: '20s' },
          // Readings of the modelled device do the looking.
          { at: '5s', request: 'A', as: 'b', for: '1s' },
        ],
        expect: {
          moments: [
            { at: '10.1s', held: { CUDA0: '20GiB' } },
            { at: '15s', held: { CUDA0: '20GiB' } },
          ],
        },
      }),
    );
    const held = result.devices[0]?.samples.map(({ atMs, heldBytes }) => [atMs, heldBytes / GIB]) ?? [];
    const half = held.find(([atMs]) => atMs === 5_000)?.[1] ?? 0;

    expect(result.failures).to.deep.equal([]);
    expect(half).to.be.within(9.9, 10.1);
  });

  it('the memory of a load that is given up lingers like any other', () => {
    const { devices } = simulate(
      scenarioOf({
        devices: { CUDA0: { memory: '24GiB', memoryBack: '2s' } },
        models: { A: { needs: '20GiB', loads: '10s', exits: '100ms' } },
        timeline: [
          { at: '0s', request: 'A', as: 'a' },
          { at: '5s', stop: 'A', drain: '0s' },
        ],
        until: '8s',
      }),
    );
    const samples = devices[0]?.samples ?? [];

    expect(samples.find(({ atMs }) => atMs === 5_105)?.heldBytes).to.be.within(9.9 * GIB, 10.3 * GIB);
    expect(samples.at(-1)).to.include({ heldBytes: 0 });
  });

  it('notices more processes than the limit of runners allows', () => {
    expect(brokenIn(worldWith(['A', 'B']), 1)).to.include('runners');
    expect(brokenIn(worldWith(['A', 'B']), 2)).to.not.include('runners');
  });

  it("counts other programs' memory as in use", () => {
    expect(brokenIn(worldWith(['A', 'B']), null)).to.not.include('held');
    expect(brokenIn(worldWith(['A', 'B'], { othersBytes: 5 * GIB }), null)).to.include('held');
  });
});
