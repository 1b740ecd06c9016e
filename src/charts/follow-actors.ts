import type { AnyActorRef, AnyEventObject, InspectionEvent } from 'xstate';
import type { ModelStep } from '../../machines/scheduler/contract.ts';
import { actorName, actorRow, type ActorRow } from './actors.ts';
import { transitionId } from './describe-machine.ts';
import { modelActorRow, takenBy } from './model-actors.ts';
import { toldOfEvent, type Told } from './told.ts';

/** An event that one actor sent to another, and what its receiver made of it. */
export interface ActorEvent {
  /** Null when it came from outside. */
  readonly from: string | null;
  readonly to: string;
  readonly type: string;
  readonly data: Told;
  readonly effect: Effect;
}

/** Nothing at all, when the receiver has no chart or is no longer there. */
export interface Effect {
  /** Its state before; null when it has just been started. */
  before: string | null;
  after: string | null;
  /** Ids of the transitions that it took, in order. */
  took: readonly string[];
  /** What has changed of what is told of its context: before, after. */
  changed: Readonly<Record<string, readonly [Told[string], Told[string]]>>;
}

/**
 * Hears each event that the actors of a system send to each other, until the answer is called: without a listener XState does
 * not even make them. They come in the order in which they were sent; the effect is filled in when the receiver has taken the
 * event, which is in the same turn.
 */
export function followActors(root: AnyActorRef, push: (event: ActorEvent) => void): () => void {
  const rows = new WeakMap<AnyActorRef, ActorRow>();
  const effects = new WeakMap<AnyEventObject, Effect>();
  const taken = new WeakMap<AnyActorRef, string[]>();
  remember(root, rows);
  const modelSteps = root.on('model.stepped', (step: unknown) => push(modelEvent(step as ModelStep)));
  const watching = root.system.inspect((inspected: InspectionEvent) => {
    const actor = inspected.actorRef as AnyActorRef;
    switch (inspected.type) {
      case '@xstate.event': {
        const { sourceRef, event } = inspected;
        // How XState settles a promise of its own, before it says `xstate.done.actor`.
        if (event.type.startsWith('xstate.promise.')) return;
        const effect: Effect = { before: null, after: null, took: [], changed: {} };
        effects.set(event, effect);
        return push({
          from: sourceRef ? actorName(sourceRef as AnyActorRef) : null,
          to: actorName(actor),
          type: event.type,
          data: toldOfEvent(event),
          effect,
        });
      }
      case '@xstate.microstep': {
        const ids = inspected._transitions.map(transitionId);
        taken.set(actor, [...(taken.get(actor) ?? []), ...ids]);
        return;
      }
      case '@xstate.snapshot': {
        const after = actorRow(actor);
        const effect = effects.get(inspected.event);
        if (after && effect) Object.assign(effect, effectOf(rows.get(actor), after, taken.get(actor) ?? []));
        if (after) rows.set(actor, after);
        taken.delete(actor);
        return;
      }
      case '@xstate.actor':
      case '@xstate.action':
      case '@xstate.transition':
    }
  });
  return () => {
    modelSteps.unsubscribe();
    watching.unsubscribe();
  };
}

/** What the scheduler told a model's chart while it took an event itself. */
function modelEvent(step: ModelStep): ActorEvent {
  const { model, event } = step;
  const [before, after] = [modelActorRow(model, step.before), modelActorRow(model, step.after)];
  return {
    from: 'scheduler',
    to: after.id,
    type: event.type,
    data: toldOfEvent(event),
    effect: effectOf(before, after, takenBy(step)),
  };
}

/** Where everybody stands at the beginning. */
function remember(actor: AnyActorRef, rows: WeakMap<AnyActorRef, ActorRow>): void {
  const row = actorRow(actor);
  if (!row) return;
  rows.set(actor, row);
  const { children } = actor.getSnapshot() as { readonly children: Readonly<Record<string, AnyActorRef>> };
  for (const child of Object.values(children)) remember(child, rows);
}

function effectOf(before: ActorRow | undefined, after: ActorRow, took: readonly string[]): Effect {
  const changed: Record<string, readonly [Told[string], Told[string]]> = {};
  for (const [key, value] of Object.entries(after.context)) {
    const old = before?.context[key] ?? null;
    if (value !== old) changed[key] = [old, value];
  }
  return { before: before?.state ?? null, after: after.state, took, changed };
}
