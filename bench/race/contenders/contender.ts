import type { Stage } from '../stage.ts';

/** A program that serves many models in turn. */
export interface Contender {
  readonly name: string;
  /** Why it cannot take part in a race; null when it can. */
  unfit(stage: Pick<Stage, 'realServer'>): string | null;
  /** Starts it; resolves once it serves. What went wrong is in the error. */
  start(stage: Stage): Promise<Started>;
}

export interface Started {
  readonly url: string;
  /** Loads that it counts itself; null: each starts the stage's program. */
  readonly countLoads?: () => number;
  end(): Promise<void>;
}
