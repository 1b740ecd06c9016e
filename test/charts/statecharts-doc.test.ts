import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import type { AnyStateNode } from 'xstate';
import { getStateNodes } from 'xstate/graph';
import { deviceMachine } from '../../machines/device.machine.ts';
import { devicesMachine } from '../../machines/devices.machine.ts';
import { modelMachine } from '../../machines/model.machine.ts';
import { runnerMachine } from '../../machines/runner.machine.ts';
import { schedulerMachine } from '../../machines/scheduler.machine.ts';
import { allCharts } from '../../src/charts/all-charts.ts';
import { describeMachine } from '../../src/charts/describe-machine.ts';
import { documentMachines } from '../../src/charts/transition-table.ts';

const root = new URL('../../', import.meta.url);

describe('the documentation of the statecharts', () => {
  it('is what the machines say', () => {
    const written = readFileSync(new URL('docs/statecharts.md', root), 'utf8');

    expect(written, 'docs/statecharts.md is out of date: run npm run docs:charts').to.equal(
      documentMachines(allCharts()),
    );
  });

  it('has every machine', () => {
    const files = readdirSync(new URL('machines/', root)).filter((name) => name.endsWith('.machine.ts'));

    expect(allCharts().map(({ id }) => `${id}.machine.ts`)).to.have.members(files);
  });

  it('names every action, guard and actor', () => {
    const { states, transitions } = merge(allCharts());
    const unnamed = [
      ...states.filter(({ entry, exit }) => [...entry, ...exit].includes('unnamed')).map(({ path }) => path),
      ...transitions
        .filter(({ guard, actions }) => [guard, ...actions].includes('unnamed'))
        .map(({ id }) => id),
    ];

    expect(unnamed).to.deep.equal([]);
  });
});

describe('the description of a machine', () => {
  for (const machine of [runnerMachine, modelMachine, schedulerMachine, deviceMachine, devicesMachine]) {
    describe(machine.id, () => {
      const description = describeMachine(machine);
      const nodes: AnyStateNode[] = [machine.root, ...getStateNodes(machine.root)];

      it('has every state', () => {
        const paths = nodes.map(({ path }) => path.join('.'));
        expect(description.states.map(({ path }) => path)).to.have.members(paths);
      });

      it('has every branch of every transition, each under a name of its own', () => {
        const ids = description.transitions.map(({ id }) => id);
        const written = nodes.map(({ config }) => branchesIn(config)).reduce((sum, count) => sum + count, 0);

        expect(ids).to.have.length(written);
        expect(new Set(ids).size).to.equal(ids.length);
      });

      it('has only targets that are states', () => {
        const paths = description.states.map(({ path }) => path);
        for (const { targets } of description.transitions) expect(paths).to.include.members([...targets]);
      });

      it('survives JSON', () => {
        expect(JSON.parse(JSON.stringify(description))).to.deep.equal(description);
      });
    });
  }
});

const merge = (charts: ReturnType<typeof allCharts>) => ({
  states: charts.flatMap(({ states }) => states),
  transitions: charts.flatMap(({ transitions }) => transitions),
});

/** Counts what is written in one state, straight from its configuration. */
function branchesIn(config: AnyStateNode['config']): number {
  const invokes: object[] = [config.invoke ?? []].flat();
  const outcomes = invokes.flatMap((invoke) =>
    ['onDone', 'onError', 'onSnapshot'].map((key) => (invoke as Record<string, unknown>)[key]),
  );
  const handlers = [
    ...Object.values(config.on ?? {}),
    ...Object.values(config.after ?? {}),
    ...outcomes,
    config.always,
    config.onDone,
  ];
  return handlers.flat().filter((branch) => branch !== undefined).length;
}
