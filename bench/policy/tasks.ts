import { scenarioOf, type PolicyName } from '../../src/simulation/simulate.ts';
import { settingsOf } from '../../src/simulation/scenario/stage.ts';
import { runTrace, type TraceResult } from '../../src/simulation/trace.ts';
import { play } from '../races/play.ts';
import type { Race, RaceResult } from '../races/race.ts';
import { readTrace } from '../traces.ts';
import { changes, type Change } from './changed-traces.ts';

const KEEP_ALIVE_MS = 300_000;

export type Mode = 'strict' | 'soft';

export interface TraceTask {
  readonly kind: 'trace';
  readonly trace: string;
  /** Where it lies; absent: in `bench/traces`. */
  readonly folder?: string | undefined;
  readonly change: Change;
  readonly mode: Mode;
  readonly policy: PolicyName;
  /** Only so many of its requests, the first; absent: all. */
  readonly first?: number | undefined;
}

export interface RaceTask {
  readonly kind: 'race';
  readonly race: Race;
  readonly policy: PolicyName;
  /** Absent: the default. */
  readonly gamma?: number | undefined;
}

/** One run of a policy, as plain data: it can be given to another thread. */
export type Task = TraceTask | RaceTask;
export type Done = { readonly trace: TraceResult } | { readonly race: RaceResult };

export const carryOut = (task: Task): Done =>
  task.kind === 'race' ? { race: play(task.race, task.policy, task.gamma) } : { trace: playTrace(task) };

function playTrace({ trace: name, folder, change, mode, policy, first }: TraceTask): TraceResult {
  const whole = readTrace(name, folder === undefined ? undefined : new URL(folder));
  const trace = changes[change]({ ...whole, requests: whole.requests.slice(0, first) });
  const scenario = scenarioOf({ models: {}, timeline: [], settings: { keepAliveMode: mode } });
  return runTrace(trace, { settings: settingsOf(scenario, policy), keepAlive: KEEP_ALIVE_MS });
}
