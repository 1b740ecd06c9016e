import { emptyDemand, type Arrival, type Demand } from './demand.ts';
import {
  answered,
  askedFor,
  noHabits,
  restoreHabits,
  saveHabits,
  type Habits,
  type SavedDemand,
} from './habits.ts';
import { emptyHistory, noteLoaded } from './history.ts';
import { noteReplaced, noteSucceeded } from './sparing.ts';
import { emptyTable, rowOf, withRow, type Table } from './table.ts';

/** What is learned of all models' use, an immutable value. */
export interface Learned {
  readonly models: Table<Habits>;
  /** The mean of all models' demand, which speaks for those of which little is known. */
  readonly pooled: Demand;
}

export const habitsOf = ({ models }: Learned, model: string): Habits => rowOf(models, model) ?? noHabits;

const withHabits = (learned: Learned, model: string, habits: Habits): Learned => ({
  ...learned,
  models: withRow(learned.models, model, habits),
});

/** A model is asked for; retries and preloads do not count. */
export function afterArrival(learned: Learned, model: string, arrival: Arrival): Learned {
  const { habits, pooled } = askedFor(habitsOf(learned, model), learned.pooled, arrival);
  return { ...withHabits(learned, model, habits), pooled };
}

/** A request has left its runner; `answerMs` is how long it was served, null when it was not served to its end. */
export const afterAnswer = (
  learned: Learned,
  model: string,
  nowMs: number,
  answerMs: number | null,
): Learned => withHabits(learned, model, answered(habitsOf(learned, model), nowMs, answerMs));

/** A model has to go for another one, whose longest waiting request arrived at that time. */
export function afterEviction(
  learned: Learned,
  model: string,
  successor: string,
  headArrivalMs: number,
): Learned {
  const habits = habitsOf(learned, model);
  const sparing = noteReplaced(habits.sparing, successor, headArrivalMs);
  return withHabits(learned, model, { ...habits, sparing });
}

/** A model is ready: with that, the trials of those that had to go for it end. `crowd` is `crowdAtLoad` at this moment. */
export function afterLoad(learned: Learned, model: string, loadMs: number, crowd: number): Learned {
  const { rows, places } = learned.models;
  const models = {
    rows: rows.map((habits) => ({ ...habits, sparing: noteSucceeded(habits.sparing, model) })),
    places,
  };
  const habits = rowOf(models, model) ?? noHabits;
  const history = noteLoaded(habits.history, loadMs, crowd);
  return withHabits({ ...learned, models }, model, { ...habits, history });
}

/** A model is another one now: what its loads and answers were like says nothing any more. */
export const withoutHistory = (learned: Learned, model: string): Learned =>
  withHabits(learned, model, { ...habitsOf(learned, model), history: emptyHistory });

/** To be kept across restarts. */
export const saveLearned = ({ models }: Learned): Record<string, SavedDemand> =>
  Object.fromEntries(
    [...models.places.keys()].map((model) => [model, saveHabits(rowOf(models, model) ?? noHabits)]),
  );

export function restoreLearned(saved: Readonly<Record<string, SavedDemand>>): Learned {
  let models = emptyTable<Habits>();
  let pooled = emptyDemand;
  for (const [model, one] of Object.entries(saved)) {
    const restored = restoreHabits(one, pooled);
    models = withRow(models, model, restored.habits);
    pooled = restored.pooled;
  }
  return { models, pooled };
}
