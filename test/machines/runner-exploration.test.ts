import { expect } from 'chai';
import { runnerMachine } from '../../machines/runner.machine.ts';
import { describeMachine } from '../../src/charts/describe-machine.ts';
import {
  explore,
  failure,
  type Node,
  type RunnerSnapshot,
  type Stimulus,
} from '../support/explore-runner.ts';
import { aModel, settings } from '../support/pool.ts';

const chart = describeMachine(runnerMachine);
const onGpu = { laggingDevices: ['CUDA0'] };
const talking = {
  spec: aModel('a', 8, {
    launch: { ...aModel('a', 8).launch, conversations: { fingerprint: 'f', bytesPerToken: 1 } },
  }),
};
const bounded = { ...settings().runner, loadTotalMs: 600_000 };

const runs = {
  'on the CPU': {},
  'on the CPU, softly kept': { keepAliveMode: 'soft' },
  'on a GPU': { ...onGpu, limits: bounded },
  'on a GPU, softly kept': { ...onGpu, keepAliveMode: 'soft', limits: bounded },
  'on a GPU, its conversations kept': { ...onGpu, ...talking },
  'on a GPU, kept for good': { ...onGpu, keepAlive: 'forever' },
} as const;

describe('every life of a runner', () => {
  const explored = Object.entries(runs).map(([name, over]) => ({ name, ...explore(over) }));

  after(() => {
    const states = explored.map(({ name, nodes }) => `${nodes.size} states ${name}`).join(', ');
    const steps = explored.flatMap(({ nodes }) => [...nodes.values()].flatMap((node) => node.steps)).length;
    console.log(`      explored ${states}: ${steps} steps through ${chart.transitions.length} transitions`);
  });

  it('enters every state of the chart', () => {
    const entered = new Set(explored.flatMap((run) => [...run.entered]));
    const missing = chart.states.map(({ path }) => path).filter((path) => !entered.has(path));

    expect(missing, 'states never entered').to.deep.equal([]);
  });

  it('takes every transition that is written, each branch of it', () => {
    const taken = new Set(explored.flatMap((run) => [...run.taken]));
    const missing = chart.transitions
      .filter(({ id }) => !taken.has(id))
      .map(({ source, label, guard, targets }) => `${source}: ${label} [${guard ?? ''}] → ${targets.join()}`);

    expect(missing, 'transitions never taken').to.deep.equal([]);
  });

  for (const { name, nodes } of explored) {
    const living = [...nodes].filter(([, { snapshot }]) => snapshot.status === 'active');

    describe(name, () => {
      it('ends with an outcome and never errors', () => {
        const broken = living.flatMap(([, { snapshot, steps }]) =>
          steps
            .filter(({ to }) => nodes.get(to)?.snapshot.status === 'error')
            .map(({ event }) => `${leafOf(snapshot)} on ${event.type}`),
        );

        expect([...new Set(broken)]).to.deep.equal([]);
      });

      it('has no dead end', () => {
        const ending = whatLeadsToTheEnd(nodes, () => true);

        expect(living.map(([key]) => key).filter((key) => !ending.has(key))).to.deep.equal([]);
      });

      it('once told to stop, ends by its deadlines and the exit of its process alone', () => {
        const ending = whatLeadsToTheEnd(nodes, isNobodysHelp);
        const afterStop = ([key, { steps }]: readonly [string, Node]) =>
          steps.find(({ event }) => event.type === 'runner.stop')?.to ?? key;

        expect(living.filter((node) => !ending.has(afterStop(node))).map(([key]) => key)).to.deep.equal([]);
      });

      it('waits without a deadline only where it serves, is kept, or cannot kill its process', () => {
        const endless = living.filter(([, { steps }]) => !steps.some(({ event }) => isDelay(event)));

        expect([
          'alive.loaded.ready',
          'alive.loaded.expiring',
          'alive.loaded.idle.kept',
          'alive.loaded.idle.overstaying',
          'alive.unloading.stuck',
        ]).to.include.members(endless.map(([, { snapshot }]) => leafOf(snapshot)));
      });

      it('lets its keep-alive run unless it is kept', () => {
        const wrong = living.filter(([, { snapshot }]) => {
          const { pinned, keepAlive } = snapshot.context;
          const isKept = snapshot.matches({ alive: { loaded: { idle: 'kept' } } });
          return (
            snapshot.matches({ alive: { loaded: 'idle' } }) && isKept !== (pinned || keepAlive === 'forever')
          );
        });

        expect(wrong.map(([key]) => key)).to.deep.equal([]);
      });

      it('hears its process end', () => {
        const exited = { type: 'process.exited', exitCode: 1, signal: null, failure } as const;
        const deaf = living.filter(([, { snapshot }]) => snapshot.matches('alive') && !snapshot.can(exited));

        expect(deaf.map(([key]) => key)).to.deep.equal([]);
      });
    });
  }
});

const isDelay = (event: Stimulus): boolean => event.type.startsWith('xstate.after.');
const isNobodysHelp = (event: Stimulus): boolean => isDelay(event) || event.type === 'process.exited';
const leafOf = (snapshot: RunnerSnapshot): string =>
  snapshot._nodes
    .filter(({ type }) => type === 'atomic')
    .map(({ path }) => path.join('.'))
    .join();

/** The states from which the end can be reached by such events, the end included. */
function whatLeadsToTheEnd(
  nodes: ReadonlyMap<string, Node>,
  counts: (event: Stimulus) => boolean,
): ReadonlySet<string> {
  const before = new Map<string, string[]>();
  for (const [key, { steps }] of nodes) {
    for (const { event, to } of steps) if (counts(event)) before.set(to, [...(before.get(to) ?? []), key]);
  }
  const reached = new Set<string>();
  const queue = [...nodes].filter(([, { snapshot }]) => snapshot.status === 'done').map(([key]) => key);
  for (let key = queue.pop(); key !== undefined; key = queue.pop()) {
    if (reached.has(key)) continue;
    reached.add(key);
    queue.push(...(before.get(key) ?? []));
  }
  return reached;
}
