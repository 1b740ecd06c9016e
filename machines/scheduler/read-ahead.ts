import type { ReadAheadSpec } from '../effects.ts';
import type { Claim } from '../planning/view.ts';

type Claims = ReadonlyMap<string, Claim>;

/** What is to be read while memory is on its way, and what no longer, from one transition to the next. */
export interface Reading {
  /** Names the reader. */
  readonly id: string;
  readonly spec: ReadAheadSpec;
}

const idOf = (classKey: string): string => `read-ahead:${classKey}`;

/** Who has been promised memory since: the file of each is read meanwhile, where it is one of ours. */
export const begun = (before: Claims, after: Claims): readonly Reading[] =>
  [...after].flatMap(([classKey, { spec }]) =>
    before.has(classKey) || spec.launch.runtime === 'command'
      ? []
      : [{ id: idOf(classKey), spec: { modelName: spec.name, path: spec.launch.modelPath } }],
  );

/** The ids of the readers of those who start now, or whose promise is over. */
export const ended = (before: Claims, after: Claims): readonly string[] =>
  [...before.keys()].flatMap((classKey) => (after.has(classKey) ? [] : [idOf(classKey)]));
