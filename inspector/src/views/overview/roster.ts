import type { Model, Runner, Wait } from '../../live/picture.ts';
import type { State } from '../../parts/state-mark.tsx';

/** A line of the list of models: a runner of a model, or a model without one. */
export interface RosterRow {
  readonly key: string;
  readonly name: string;
  readonly model: Model | null;
  readonly runner: Runner | null;
  readonly state: State;
  /** Requests that wait for the model. */
  readonly waiting: number;
}

/** Each model once, in the order of the configuration, and once more for each further runner of it. No line moves when its state changes. */
export function rosterOf(
  models: readonly Model[],
  runners: readonly Runner[],
  queue: readonly Wait[],
): readonly RosterRow[] {
  const known = new Set(models.map(({ name }) => name));
  const byModel = new Map<string, Runner[]>();
  for (const runner of runners) byModel.set(runner.model, [...(byModel.get(runner.model) ?? []), runner]);
  // Of a recording, or of a configuration before this one.
  const named = new Set([...byModel.keys(), ...queue.map(({ model }) => model)]);
  const strangers = [...named].filter((name) => !known.has(name));
  const rowsOf = (name: string, model: Model | null): RosterRow[] => {
    const base = { name, model, waiting: queue.filter((wait) => wait.model === name).length };
    const own = byModel.get(name) ?? [];
    if (own.length === 0) {
      const state =
        model && (model.state === 'unusable' || model.state === 'failed') ? model.state : 'unloaded';
      return [{ ...base, key: name, runner: null, state }];
    }
    // The first line of a model stays the same one when a runner takes it.
    return own.map((runner, index) => ({
      ...base,
      key: index === 0 ? name : `${name} ${index}`,
      runner,
      state: runner.state,
    }));
  };
  return [
    ...models.flatMap((model) => rowsOf(model.name, model)),
    ...strangers.flatMap((name) => rowsOf(name, null)),
  ];
}
