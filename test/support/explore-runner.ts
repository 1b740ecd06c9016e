import {
  createEmptyActor,
  getNextTransitions,
  type ActorLogic,
  type AnyMachineSnapshot,
  type InspectionEvent,
  type SnapshotFrom,
} from 'xstate';
import { adjacencyMapToArray, getAdjacencyMap } from 'xstate/graph';
import type { DoorEvent, HealthEvent, ProcessEvent, UseEvent } from '../../machines/effects.ts';
import { runnerMachine } from '../../machines/runner.machine.ts';
import type { RunnerCommand, RunnerInput } from '../../machines/runner/contract.ts';
import { transitionId } from '../../src/charts/describe-machine.ts';
import { reading } from './lone-runner.ts';
import { aModel, GIB, settings } from './pool.ts';

export type RunnerSnapshot = SnapshotFrom<typeof runnerMachine>;
type RunnerEvent = RunnerCommand | ProcessEvent | HealthEvent | UseEvent | DoorEvent;
/** What a machine gets from XState: the end of an actor, or the end of a delay. */
interface SystemEvent {
  readonly type: `xstate.${string}`;
  readonly output?: unknown;
  readonly error?: unknown;
}
export type Stimulus = RunnerEvent | SystemEvent | { readonly type: 'drain.over' };

export interface Node {
  readonly snapshot: RunnerSnapshot;
  /** What can happen here, and the key of the node that it leads to. */
  readonly steps: { readonly event: Stimulus; readonly to: string }[];
}

/** All that can happen to a runner, and what of its chart was used on the way. */
export interface Exploration {
  readonly nodes: ReadonlyMap<string, Node>;
  /** Paths of the states that were entered, also those left at once. */
  readonly entered: ReadonlySet<string>;
  /** Ids of the transitions that were taken. */
  readonly taken: ReadonlySet<string>;
}

/**
 * Walks through every state that one runner can be in. Nothing runs: xstate/graph starts no actor and no timer, so
 * their ends are fed as events, each only where its actor lives or its timer has been armed.
 */
export function explore(over: Partial<RunnerInput>): Exploration {
  const entered = new Set<string>();
  const taken = new Set<string>();
  const note = (inspected: InspectionEvent) => {
    if (inspected.type !== '@xstate.microstep') return;
    for (const { path } of (inspected.snapshot as AnyMachineSnapshot)._nodes) entered.add(path.join('.'));
    for (const transition of inspected._transitions) taken.add(transitionId(transition));
  };
  const observed: ActorLogic<RunnerSnapshot, Stimulus, RunnerInput> = {
    getInitialSnapshot: (scope, input) => {
      scope.system.inspect(note);
      return runnerMachine.getInitialSnapshot(scope as never, input);
    },
    transition: (snapshot, event, scope) =>
      runnerMachine.transition(snapshot, event as never, scope as never),
    getPersistedSnapshot: (snapshot) => snapshot,
  };
  const map = getAdjacencyMap(observed, {
    input: { ...input(), ...over },
    events: stimuli,
    serializeState: factsOf,
    stopWhen: ({ status }) => status !== 'active',
    limit: 100_000,
  });
  const nodes = new Map<string, Node>();
  for (const { state, event, nextState } of adjacencyMapToArray(map)) {
    nodeOf(nodes, state).steps.push({ event, to: factsOf(nextState) });
    nodeOf(nodes, nextState);
  }
  return { nodes, entered, taken };
}

function nodeOf(nodes: Map<string, Node>, snapshot: RunnerSnapshot): Node {
  const key = factsOf(snapshot);
  const node = nodes.get(key) ?? { snapshot, steps: [] };
  nodes.set(key, node);
  return node;
}

export const failure = { code: 'stopped', message: 'told to' } as const;
const endpoint = { baseUrl: 'http://runner', apiKey: 'key' };

const input = (): RunnerInput => ({
  runnerId: 'runner-1',
  spec: aModel('a', 8),
  reservation: { CUDA0: 8 * GIB },
  laggingDevices: [],
  keepAlive: 10_000,
  keepAliveMode: 'strict',
  limits: settings().runner,
  supervisor: createEmptyActor() as never,
});

/** What can tell two snapshots apart: the states, and what the guards and the delays look at. */
function factsOf({ value, status, context }: RunnerSnapshot): string {
  const { pinned, keepAlive, drainMs, failure: failed, wasReady, baseline } = context;
  return JSON.stringify({
    value,
    status,
    isKept: pinned ? 'pinned' : keepAlive === 'forever',
    drainMs: String(drainMs),
    hasFailed: failed !== null,
    wasReady,
    baseline: typeof baseline === 'string' ? baseline : 'measured',
  });
}

const stimuli = (snapshot: RunnerSnapshot): Stimulus[] => [
  ...commands(),
  { type: 'drain.over' },
  ...Object.keys(snapshot.children).flatMap((id) => ACTORS[id] ?? []),
  ...delays(snapshot),
];

function commands(): RunnerCommand[] {
  return [
    ...[Infinity, 1_000, 0].map((drainMs) => ({ type: 'runner.expire', reason: 'wanted', drainMs }) as const),
    { type: 'runner.stop', failure },
    { type: 'runner.keep', keepAlive: 10_000, pinned: false },
    { type: 'runner.keep', keepAlive: 10_000, pinned: true },
    { type: 'runner.keep', keepAlive: 'forever', pinned: false },
  ];
}

const done = (id: string, output: unknown): Stimulus => ({ type: `xstate.done.actor.${id}`, output });
const error = (id: string): Stimulus => ({ type: `xstate.error.actor.${id}`, error: new Error('broken') });

/** What each invoked actor may tell while it lives. */
const ACTORS: Readonly<Record<string, readonly Stimulus[]>> = {
  door: [
    ...([null, 10_000, 'forever'] as const).map(
      (keepAlive) => ({ type: 'door.entered', keepAlive }) as const,
    ),
    { type: 'door.emptied' },
    { type: 'door.closed' },
    error('door'),
  ],
  process: [
    { type: 'process.started', pid: 1, endpoint },
    { type: 'process.activity', progress: null },
    { type: 'process.listening' },
    { type: 'process.ending', message: 'its process ended' },
    { type: 'process.exited', exitCode: 1, signal: null, failure },
    error('process'),
  ],
  readiness: [done('readiness', { contextTokens: null, slots: null }), error('readiness')],
  health: [{ type: 'health.lost', message: 'no answer' }, error('health')],
  use: [{ type: 'use.measured', use: { CUDA0: 8 * GIB } }, error('use')],
  baseline: [done('baseline', reading(0)), error('baseline')],
  conversations: [done('conversations', undefined), error('conversations')],
  recovery: [done('recovery', reading(24)), done('recovery', reading(null)), error('recovery')],
};

/** The ends of the delays that are running; an endless one never ends. */
function delays(snapshot: RunnerSnapshot): Stimulus[] {
  const lengths = runnerMachine.implementations.delays as Record<
    string,
    (args: { context: unknown }) => number
  >;
  return getNextTransitions(snapshot).flatMap((transition) => {
    if (!('delay' in transition)) return [];
    const length = lengths[transition.delay as string]?.(snapshot) ?? Number(transition.delay);
    return length === Infinity ? [] : [{ type: transition.eventType as `xstate.${string}` }];
  });
}
