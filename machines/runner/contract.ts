import type { ActorRef, Snapshot } from 'xstate';
import type { Failure } from '../failures.ts';
import type { DeviceId, Endpoint, KeepAlive, ModelSpec, Reservation, RunnerId } from '../vocabulary.ts';

/** Time limits of one runner; `Infinity` switches one off (the clocks arm no timer for it). */
export interface RunnerLimits {
  /** No sign of life for this long while loading → failed. */
  readonly loadStallMs: number;
  readonly loadTotalMs: number;
  /** SIGTERM to SIGKILL. */
  readonly terminateGraceMs: number;
  /** SIGKILL to the alarm that the process cannot be killed. */
  readonly killAlarmMs: number;
  /** The longest that an unload waits for conversations to be kept, and a load for them to be brought back. */
  readonly conversationsMs: number;
  readonly probeDeadlineMs: number;
  readonly recoveryPollMs: number;
  readonly recoveryLimitMs: number;
}

/** `soft`: when the keep-alive ends the runner stays, first in line for eviction. */
export type KeepAliveMode = 'strict' | 'soft';

export interface RunnerInput {
  readonly runnerId: RunnerId;
  readonly spec: ModelSpec;
  readonly reservation: Reservation;
  /** The devices among them whose memory comes back with a delay after an unload: discrete GPUs. */
  readonly laggingDevices: readonly DeviceId[];
  readonly keepAlive: KeepAlive;
  readonly keepAliveMode: KeepAliveMode;
  readonly limits: RunnerLimits;
  readonly supervisor: ActorRef<Snapshot<unknown>, RunnerReport>;
}

/** The states that others see; the chart's own nesting is nobody else's business. */
export type RunnerState =
  'loading' | 'ready' | 'idle' | 'expiring' | 'unloading' | 'vram-recovering' | 'failed' | 'gone';

export type RunnerCommand =
  /** It has to go: no new leases, running ones may finish within `drainMs`. */
  | { type: 'runner.expire'; reason: string; drainMs: number }
  /** It has to go now: leases are lost with this failure. */
  | { type: 'runner.stop'; failure: Failure }
  /** Without a mode that stays as it is. `idleMs`: how long it has been idle already, which counts; absent: not at all. */
  | {
      type: 'runner.keep';
      keepAlive: KeepAlive;
      pinned: boolean;
      idleMs?: number;
      keepAliveMode?: KeepAliveMode;
    };

/** Everything a runner tells its supervisor; each carries the runner's id, which is never used again. */
export type RunnerReport =
  | { type: 'runner.started'; runnerId: RunnerId; pid: number | null; endpoint: Endpoint }
  | { type: 'runner.progress'; runnerId: RunnerId; progress: number | null }
  | {
      type: 'runner.loaded';
      runnerId: RunnerId;
      contextTokens: number | null;
      /** How many requests it serves at a time. */
      slots: number;
    }
  | { type: 'runner.measured'; runnerId: RunnerId; use: Reservation }
  /** Of every state but ready and idle: those two differ in the leases alone, which its door counts. */
  | {
      type: 'runner.moved';
      runnerId: RunnerId;
      state: RunnerState;
      reason: string;
      failure: Failure | null;
    }
  | { type: 'runner.overstayed'; runnerId: RunnerId }
  | { type: 'runner.stuck'; runnerId: RunnerId }
  | { type: 'runner.unrecovered'; runnerId: RunnerId };

/** How a runner ended: it never errors. */
export interface RunnerOutcome {
  readonly runnerId: RunnerId;
  readonly failure: Failure | null;
  /** Whether it had been ready at any time: a failed load and a crash are different stories. */
  readonly wasReady: boolean;
}
