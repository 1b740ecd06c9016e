import { fromCallback, fromPromise, type EventObject } from 'xstate';
import type { Failure } from './failures.ts';
import type {
  DeviceId,
  DeviceReading,
  Endpoint,
  LaunchOptions,
  Reservation,
  RunnerId,
} from './vocabulary.ts';

const unprovided = (name: string) => new Error(`Effect '${name}' was not provided.`);
const promiseOf = <Output, Input>(name: string) =>
  fromPromise<Output, Input>(() => Promise.reject(unprovided(name)));
const callbackOf = <Command extends EventObject, Input>(name: string) =>
  fromCallback<Command, Input>(() => {
    throw unprovided(name);
  });

export interface ProcessSpec {
  readonly runnerId: RunnerId;
  readonly modelName: string;
  readonly launch: LaunchOptions;
  /** The placement that the scheduler chose: the process must use these devices and no others. */
  readonly reservation: Reservation;
  /** Of the reservation, what is main memory's share wherever the layers go; absent: nothing. */
  readonly hostBytes?: number;
}

/** What a runner may ask of its process. */
export type ProcessCommand = { type: 'process.terminate' } | { type: 'process.kill' };

/** What a process tells its runner. Exactly one `process.exited` ends the story, also when nothing could be started. */
export type ProcessEvent =
  | { type: 'process.started'; pid: number | null; endpoint: Endpoint }
  /** A sign of life while loading (at most a few a second); `progress` from 0 to 1 when the log tells it. */
  | { type: 'process.activity'; progress: number | null }
  | { type: 'process.exited'; exitCode: number | null; signal: string | null; failure: Failure };

export interface ReadySpec {
  readonly runnerId: RunnerId;
  readonly modelName: string;
  readonly endpoint: Endpoint;
}
/** What the process says of itself once it is ready. */
export interface ReadyReport {
  /** Per slot, as the process reports it; null when it does not. */
  readonly contextTokens: number | null;
  readonly slots: number | null;
}

/** Sent by the health watch when the process runs and does not answer. */
export type HealthEvent = { type: 'health.lost'; message: string };

export interface UseSpec {
  readonly runnerId: RunnerId;
  readonly pid: number | null;
  readonly reservation: Reservation;
}

/**
 * Everything the machines may ask of the world. Each fails by its name until `src/compose.ts` provides it.
 * `actors/real.ts` is one table of this type, the simulation's is another.
 */
export const effects = {
  /** Lasts: one process from spawn to exit. Leaving its state kills the process at once. */
  runProcess: callbackOf<ProcessCommand, ProcessSpec>('runProcess'),
  /** Resolves when the process answers that it is ready; never rejects for "not yet". */
  awaitReady: promiseOf<ReadyReport, ReadySpec>('awaitReady'),
  /** Lasts: sends one `health.lost` when a ready process stops answering. */
  watchHealth: callbackOf<{ type: 'none' }, ReadySpec>('watchHealth'),
  /** One reading of the named devices (all, when null). Rejects when nothing could be read. */
  probeDevices: promiseOf<readonly DeviceReading[], { deviceIds: readonly DeviceId[] | null }>(
    'probeDevices',
  ),
  /** What a ready process really holds, per device; null where it cannot be told. */
  measureUse: promiseOf<Reservation | null, UseSpec>('measureUse'),
};
export type Effects = typeof effects;
