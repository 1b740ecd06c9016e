import { expect } from 'chai';
import { modelMachine } from '../../machines/model.machine.ts';
import type { ModelEvent, ModelRow, Presence } from '../../machines/model/contract.ts';
import { newModelRow, snapshotOf, stepModel } from '../../machines/model/step.ts';
import { describeMachine, transitionId } from '../../src/charts/describe-machine.ts';
import { aModel } from '../support/pool.ts';

const chart = describeMachine(modelMachine);
const failure = { code: 'load_failed', message: 'broken' } as const;
const everyPresence: readonly Presence[] = ['none', 'starting', 'serving', 'leaving'];

/** All that can be told of a model; its failures come a second after each other, or a long time. */
const stimuli = ({ context: { failures, alone } }: ModelRow): readonly ModelEvent[] => {
  const lastMs = Math.max(0, failures.lastMs);
  return [
    { type: 'requests.waiting' },
    { type: 'requests.none' },
    { type: 'memory.claimed' },
    { type: 'memory.unclaimed' },
    { type: 'process.starting' },
    { type: 'process.loaded' },
    ...everyPresence.flatMap((left): ModelEvent[] => [
      { type: 'process.leaving', left },
      { type: 'process.gone', left },
    ]),
    { type: 'load.failed', failure, atMs: lastMs + 1_000 },
    { type: 'load.failed', failure, atMs: lastMs + 1_000_000 },
    { type: 'request.served' },
    { type: 'retry.due' },
    ...['one', 'other'].flatMap((classKey): ModelEvent[] => [
      ...(alone.includes(classKey) ? [] : [{ type: 'alone.wanted', classKey } as const]),
      ...(alone.includes(classKey)
        ? [{ type: 'alone.over', classKey, isLast: alone.length === 1 } as const]
        : []),
    ]),
    { type: 'model.pinned', spec: aModel('a', 8) },
    { type: 'model.unpinned' },
    { type: 'model.displaced', spec: aModel('a', 8) },
    { type: 'model.dropped' },
    { type: 'model.redefined' },
  ];
};

/** Rows that go on in the same way have the same key. */
const keyOf = ({ state, context }: ModelRow): string =>
  JSON.stringify([state, Math.min(context.failures.count, 3), context.alone.toSorted()]);

interface Node {
  readonly row: ModelRow;
  readonly to: Set<string>;
}

/** Walks through every state that a model can be in. */
function explore(): { readonly nodes: ReadonlyMap<string, Node>; readonly taken: ReadonlySet<string> } {
  const first = newModelRow('a');
  const nodes = new Map<string, Node>([[keyOf(first), { row: first, to: new Set() }]]);
  const taken = new Set<string>();
  for (const { row, to } of nodes.values())
    for (const event of stimuli(row)) {
      for (const one of modelMachine.getTransitionData(snapshotOf(row), event)) taken.add(transitionId(one));
      const next = stepModel(row, event);
      const key = keyOf(next);
      to.add(key);
      if (!nodes.has(key)) nodes.set(key, { row: next, to: new Set() });
    }
  return { nodes, taken };
}

describe('every mode of a model', () => {
  const { nodes, taken } = explore();

  it('is entered', () => {
    const entered = new Set([...nodes.values()].flatMap(({ row }) => pathsOf(row)));
    const states = chart.states.filter(({ type }) => type === 'atomic').map(({ path }) => path);

    expect(states).to.have.length(15);
    expect(states.filter((path) => !entered.has(path))).to.deep.equal([]);
  });

  it('is left again, from wherever it was entered, each branch of each transition being taken', () => {
    const missing = chart.transitions.filter(({ id }) => !taken.has(id)).map(({ id }) => id);
    expect(missing).to.deep.equal([]);

    const atRest = [...nodes].filter(([, { row }]) => pathsOf(row).every((path) => AT_REST.has(path)));
    const leading = new Set(atRest.map(([key]) => key));
    for (let before = -1; before < leading.size;) {
      before = leading.size;
      for (const [key, { to }] of nodes) if ([...to].some((next) => leading.has(next))) leading.add(key);
    }
    expect(nodes.size).to.be.above(500);
    expect(leading.size).to.equal(nodes.size);
  });

  it('changes nothing that it begins with, also on a copy that shares nothing with it', () => {
    for (const { row } of nodes.values()) {
      const before = JSON.stringify(row);
      const copy = structuredClone(row);
      for (const event of stimuli(row))
        expect(JSON.stringify(stepModel(copy, event)), event.type).to.equal(
          JSON.stringify(stepModel(row, event)),
        );
      expect(JSON.stringify(row)).to.equal(before);
    }
  });
});

const AT_REST: ReadonlySet<string> = new Set([
  'requests.none',
  'process.none',
  'loads.allowed',
  'device.shared',
  'place.held',
  'pin.free',
]);

const pathsOf = ({ state }: ModelRow): readonly string[] =>
  Object.entries(state).map(([region, name]) => `${region}.${name}`);
