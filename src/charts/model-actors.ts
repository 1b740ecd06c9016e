import type { ModelRow } from '../../machines/model/contract.ts';
import type { ModelStep } from '../../machines/scheduler/contract.ts';
import { modelMachine } from '../../machines/model.machine.ts';
import { snapshotOf } from '../../machines/model/step.ts';
import type { Tables } from '../../machines/scheduler/tables.ts';
import type { ActorRow } from './actors.ts';
import { transitionId } from './describe-machine.ts';
import { statePath } from './state-path.ts';
import { toldOfContext } from './told.ts';

/** The id under which a model's chart is told. */
export const modelActorId = (model: string): string => `model:${model}`;

/** The charts of the models, which the scheduler plays itself, as rows beside those of its actors. */
export const modelActorRows = (context: unknown): ActorRow[] =>
  [...(modelsIn(context) ?? [])].map(([model, row]) => modelActorRow(model, row));

export const modelActorRow = (model: string, { state, context }: ModelRow): ActorRow => ({
  id: modelActorId(model),
  chart: modelMachine.id,
  state: statePath({ ...state }),
  context: toldOfContext(modelMachine.id, context),
  isOver: false,
});

/** Where each model stands, from a scheduler's context; null from any other. */
export function modelsIn(context: unknown): ReadonlyMap<string, ModelRow> | null {
  if (typeof context !== 'object' || context === null || !('tables' in context)) return null;
  return (context.tables as Tables).models;
}

/** Ids of the transitions that a model's chart took. */
export const takenBy = ({ before, event }: ModelStep): readonly string[] =>
  modelMachine.getTransitionData(snapshotOf(before), event).map(transitionId);
