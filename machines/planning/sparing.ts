/**
 * Whether it pays to put an eviction off for a model's sake. Each eviction is a trial: was the model asked for between the arrival of
 * the request that wanted its room and the moment at which its successor was ready? If so, its clients do not depend on that request,
 * and sparing it may save them a load. If not, as with somebody alone who changes between two models, waiting is in vain.
 */
const WEIGHT = 0.3;
const UNKNOWN = 0.5;

/** What is known of one model. An immutable value. */
export interface Sparing {
  /** 0…1: how many of the trials found it asked for, the older ones fading. */
  readonly pays: number;
  readonly lastArrivalMs: number | null;
  /** The trial that is on: it had to go for this model. */
  readonly trial: { readonly successor: string; readonly wasAskedFor: boolean } | null;
}

export const unknownSparing: Sparing = { pays: UNKNOWN, lastArrivalMs: null, trial: null };

/** The model is asked for; retries and preloads do not count. */
export const noteAskedFor = (sparing: Sparing, nowMs: number): Sparing => ({
  ...sparing,
  lastArrivalMs: nowMs,
  trial: sparing.trial && { ...sparing.trial, wasAskedFor: true },
});

/** It has to go for another model, whose longest waiting request arrived at that time. */
export const noteReplaced = (sparing: Sparing, successor: string, headArrivalMs: number): Sparing => ({
  ...sparing,
  trial: { successor, wasAskedFor: (sparing.lastArrivalMs ?? -Infinity) >= headArrivalMs },
});

/** That model is ready. */
export function noteSucceeded(sparing: Sparing, successor: string): Sparing {
  const { pays, trial } = sparing;
  if (trial?.successor !== successor) return sparing;
  return { ...sparing, pays: pays + WEIGHT * ((trial.wasAskedFor ? 1 : 0) - pays), trial: null };
}
