import type { PolicyName } from '../../../machines/planning/view.ts';
import type { Failure } from '../../../machines/failures.ts';
import type { DecisionRecord } from '../../../machines/scheduler/contract.ts';
import type { RunnerState } from '../../../machines/runner/contract.ts';
import type { Reservation } from '../../../machines/vocabulary.ts';

export type Outcome = 'served' | 'refused' | 'lost' | 'cancelled' | 'running' | 'waiting';

/** One request: when it came, what it got, how it ended. Times in ms of virtual time. */
export interface RequestResult {
  readonly id: string;
  readonly model: string;
  readonly submittedAtMs: number;
  grantedAtMs: number | null;
  endedAtMs: number | null;
  runnerId: string | null;
  /** The part of its wait in which the model was being loaded. */
  loadMs: number;
  outcome: Outcome;
  failure: Failure | null;
  /** Answers that it got: one, or none while it waits. */
  answers: number;
}

/** A state of a runner, from and to; `toMs` is the end of the run for the last one. */
export interface StateSpan {
  readonly state: RunnerState;
  readonly leases: number;
  readonly fromMs: number;
  toMs: number;
}

export interface RunnerResult {
  readonly id: string;
  readonly model: string;
  reservation: Reservation;
  readonly spans: StateSpan[];
}

export interface MemorySample {
  readonly atMs: number;
  /** Promised to runners. */
  readonly reservedBytes: number;
  /** Really in use by Corral's processes, or not yet given back. */
  readonly heldBytes: number;
  /** In use by other programs. */
  readonly othersBytes: number;
}

export interface DeviceResult {
  readonly id: string;
  readonly totalBytes: number;
  readonly limitBytes: number;
  readonly samples: MemorySample[];
}

export interface QueueSample {
  readonly atMs: number;
  readonly waiting: number;
}

/** Everything that happened, in order; one line each of a trace file. */
export interface SimulationEvent {
  readonly atMs: number;
  readonly type: string;
  readonly [field: string]: unknown;
}

/** An expectation that did not come true, when that shows, and what was decided around that time. */
export interface ExpectationFailure {
  /** Where it stands in the scenario: `expect.requests.r1.granted`. */
  readonly expectation: string;
  readonly message: string;
  readonly atMs: number | null;
  readonly decisions: readonly DecisionRecord[];
}

/** Figures of a run; the names are the same for request traces, and stable. */
export interface Measures {
  readonly loadSeconds: number;
  readonly loads: number;
  readonly evictions: number;
  readonly meanWaitSeconds: number;
  readonly p50WaitSeconds: number;
  readonly p95WaitSeconds: number;
  readonly p99WaitSeconds: number;
  readonly maxWaitSeconds: number;
}

/** What came of a scenario. Equal scenarios give equal results, to the byte. */
export interface SimulationResult {
  readonly policy: PolicyName;
  /** Whether the scenario says what to expect under this policy. */
  readonly isChecked: boolean;
  readonly endedAtMs: number;
  readonly requests: readonly RequestResult[];
  readonly runners: readonly RunnerResult[];
  readonly devices: readonly DeviceResult[];
  readonly queue: readonly QueueSample[];
  readonly decisions: readonly DecisionRecord[];
  readonly events: readonly SimulationEvent[];
  readonly measures: Measures;
  /** Empty when all came as expected. */
  readonly failures: readonly ExpectationFailure[];
}
