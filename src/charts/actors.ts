import type { AnyActorRef, AnyMachineSnapshot } from 'xstate';
import { modelActorRows } from './model-actors.ts';
import { statePath } from './state-path.ts';
import { toldOfContext, type Told } from './told.ts';

/** An actor that has a chart, and where it stands on it. */
export interface ActorRow {
  /** `scheduler`, `devices`, `runner-1`, `model:llama`. */
  readonly id: string;
  /** Id of its machine. */
  readonly chart: string;
  /** Path of the innermost state that it is in; of regions side by side all, with a space between. */
  readonly state: string;
  /** What may be told of its context. */
  readonly context: Told;
  /** It has come to its end. */
  readonly isOver: boolean;
}

/** All of a system that have charts, parents first: its actors, and the models, whose charts the scheduler plays itself. */
export function actorRows(root: AnyActorRef): ActorRow[] {
  const row = actorRow(root);
  if (!row) return [];
  const { children, context } = root.getSnapshot() as AnyMachineSnapshot;
  return [
    row,
    ...modelActorRows(context),
    ...Object.values(children).flatMap((child) => (child ? actorRows(child as AnyActorRef) : [])),
  ];
}

/** Null for an actor without a chart: a process, a probe. */
export function actorRow(actor: AnyActorRef): ActorRow | null {
  const snapshot = actor.getSnapshot() as Partial<AnyMachineSnapshot>;
  if (!snapshot.machine) return null;
  return {
    id: actorName(actor),
    chart: snapshot.machine.id,
    state: statePath(snapshot.value),
    context: toldOfContext(snapshot.machine.id, snapshot.context),
    isOver: snapshot.status !== 'active',
  };
}

/** `scheduler`, `runner-1`, `runner-1.process`. */
export function actorName({ id, _parent: parent }: AnyActorRef): string {
  if (!parent) return 'scheduler';
  return parent._parent ? `${actorName(parent)}.${id}` : id;
}
