import { createActor, type AnyActorScope, type Snapshot, type SnapshotFrom } from 'xstate';
import { modelMachine } from '../model.machine.ts';
import type { ModelContext, ModelEvent, ModelRow, ModelState } from './contract.ts';

type ModelSnapshot = SnapshotFrom<typeof modelMachine>;

/**
 * What XState wants beside a snapshot and an event. XState's own `transition()` makes a new one each time, which takes ten times as long
 * as the step; the chart starts, sends and emits nothing, so one serves all.
 */
const SCOPE = madeScope();

function madeScope(): AnyActorScope {
  const made: AnyActorScope[] = [];
  const still: Snapshot<undefined> = { status: 'active', output: undefined, error: undefined };
  createActor({
    getInitialSnapshot: (scope: AnyActorScope) => (made.push(scope), still),
    transition: () => still,
    getPersistedSnapshot: () => still,
  });
  const [scope] = made;
  if (!scope) throw new Error('XState made an actor without a scope');
  return scope;
}

/** XState's form of a row, made once where the row was made here. */
const snapshots = new WeakMap<ModelRow, ModelSnapshot>();

/** The row of a snapshot: plain data, which can be kept, compared and copied. */
function rowOf(snapshot: ModelSnapshot): ModelRow {
  const row: ModelRow = { state: snapshot.value, context: snapshot.context };
  snapshots.set(row, snapshot);
  return row;
}

/** Where the chart stands for a row, also for one that was copied. */
export const snapshotOf = (row: ModelRow): ModelSnapshot =>
  snapshots.get(row) ?? modelMachine.resolveState({ value: { ...row.state }, context: row.context });

/** A model of which nothing has been heard yet. */
export const newModelRow = (name: string): ModelRow =>
  rowOf(modelMachine.getInitialSnapshot(SCOPE, { name }));

/**
 * Where the commonest events lead, as long as the context stays as it is: a model goes round the same few states, and the chart is asked
 * once for each.
 */
const knownSteps = new WeakMap<ModelContext, Map<string, ModelRow>>();

/** The row after an event: the same one where the chart has nothing to do with it. Pure. */
export function stepModel(row: ModelRow, event: ModelEvent): ModelRow {
  const key = keyOf(row, event);
  if (key === null) return play(row, event);
  let known = knownSteps.get(row.context);
  if (!known) knownSteps.set(row.context, (known = new Map()));
  let next = known.get(key);
  if (!next) known.set(key, (next = play(row, event)));
  return isSameState(next.state, row.state) ? row : next;
}

/** Tells a state and an event from all others; null where the event has more to it than its type and what is left. */
function keyOf({ state }: ModelRow, event: ModelEvent): string | null {
  switch (event.type) {
    case 'requests.waiting':
    case 'requests.none':
    case 'memory.claimed':
    case 'memory.unclaimed':
    case 'process.starting':
    case 'process.loaded':
      return `${placeOf(state)} ${event.type}`;
    case 'process.leaving':
    case 'process.gone':
      return `${placeOf(state)} ${event.type} ${event.left}`;
    case 'load.failed':
    case 'request.served':
    case 'retry.due':
    case 'alone.wanted':
    case 'alone.over':
    case 'model.pinned':
    case 'model.unpinned':
    case 'model.displaced':
    case 'model.dropped':
    case 'model.redefined':
      return null;
  }
}

const placeOf = ({ requests, process, loads, device, pin, place }: ModelState): string =>
  `${requests} ${process} ${loads} ${device} ${pin} ${place}`;

function play(row: ModelRow, event: ModelEvent): ModelRow {
  const before = snapshotOf(row);
  const after = modelMachine.transition(before, event, SCOPE);
  return after.context === before.context && isSameState(after.value, row.state) ? row : rowOf(after);
}

const isSameState = (a: ModelRow['state'], b: ModelRow['state']): boolean =>
  a.requests === b.requests &&
  a.process === b.process &&
  a.loads === b.loads &&
  a.device === b.device &&
  a.pin === b.pin &&
  a.place === b.place;
