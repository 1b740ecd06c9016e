import {
  emptyDemand,
  gapsFromBins,
  noteArrival,
  noteUse,
  restoreGaps,
  saveGaps,
  type Arrival,
  type Demand,
  type SavedGaps,
} from './demand.ts';
import { emptyHistory, noteServed, type History } from './history.ts';
import { noteAskedFor, unknownSparing, type Sparing } from './sparing.ts';

/** All that is learned of one model's use, an immutable value. */
export interface Habits {
  readonly demand: Demand;
  readonly history: History;
  readonly sparing: Sparing;
}

export const noHabits: Habits = { demand: emptyDemand, history: emptyHistory, sparing: unknownSparing };

/** Habits of one model, and the mean of all models' demand. */
export interface HabitsAndPooled {
  readonly habits: Habits;
  readonly pooled: Demand;
}

/** The model is asked for. */
export function askedFor(habits: Habits, pooled: Demand, arrival: Arrival): HabitsAndPooled {
  const noted = noteArrival(habits.demand, pooled, arrival);
  const sparing = noteAskedFor(habits.sparing, arrival.nowMs);
  return { habits: { ...habits, demand: noted.own, sparing }, pooled: noted.pooled };
}

/** A request has left its runner; `answerMs` is how long it was served, null when it was not served to its end. */
export const answered = (habits: Habits, nowMs: number, answerMs: number | null): Habits => ({
  ...habits,
  demand: noteUse(habits.demand, nowMs),
  history: answerMs === null ? habits.history : noteServed(habits.history, answerMs),
});

/** What is kept of it across restarts. How long loads take is kept by who knows the model's file. */
export interface SavedHabits {
  readonly gaps: SavedGaps;
  readonly crowd?: number | undefined;
  readonly serviceSeconds?: number | undefined;
  readonly sparing?: number | undefined;
}

/** A list alone: gaps in the bins of earlier versions. */
export type SavedDemand = SavedHabits | readonly number[];

const rounded = (value: number): number => Math.round(value * 1000) / 1000;

export const saveHabits = ({ demand, history, sparing }: Habits): SavedHabits => ({
  gaps: saveGaps(demand),
  ...(history.crowd !== null && { crowd: rounded(history.crowd) }),
  ...(history.serviceSeconds !== null && { serviceSeconds: rounded(history.serviceSeconds) }),
  ...(sparing.pays !== unknownSparing.pays && { sparing: rounded(sparing.pays) }),
});

export function restoreHabits(saved: SavedDemand, pooledBefore: Demand): HabitsAndPooled {
  const known: SavedHabits = isBins(saved) ? { gaps: gapsFromBins(saved) } : saved;
  const { own, pooled } = restoreGaps(known.gaps, pooledBefore);
  const { crowd = null, serviceSeconds = null } = known;
  const history = { ...emptyHistory, crowd, serviceSeconds };
  const sparing = { ...unknownSparing, pays: known.sparing ?? unknownSparing.pays };
  return { habits: { demand: own, history, sparing }, pooled };
}

const isBins = (saved: SavedDemand): saved is readonly number[] => Array.isArray(saved);
