import { fromCallback, fromPromise, type EventObject } from 'xstate';
import type { Failure } from './failures.ts';
import type {
  DeviceId,
  DeviceReading,
  Endpoint,
  KeepAlive,
  LaunchOptions,
  ModelSpec,
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

/** What a runner may ask of its process, and tells it. */
export type ProcessCommand =
  /** It is ready: should it end from now on, it did not fail to load. */
  { type: 'process.serving' } | { type: 'process.terminate' } | { type: 'process.kill' };

/** What a process tells its runner. Exactly one `process.exited` ends the story, also when nothing could be started. */
export type ProcessEvent =
  | { type: 'process.started'; pid: number | null; endpoint: Endpoint }
  /** A sign of life while loading (at most a few a second); `progress` from 0 to 1 when the log tells it. */
  | { type: 'process.activity'; progress: number | null }
  /** It says that it listens: likely it is ready by now. */
  | { type: 'process.listening' }
  /** It has ended, and what it had started is being ended: nobody answers any more, and its memory is not back yet. */
  | { type: 'process.ending'; message: string }
  | { type: 'process.exited'; exitCode: number | null; signal: string | null; failure: Failure };

export interface ReadySpec {
  readonly runnerId: RunnerId;
  readonly modelName: string;
  readonly endpoint: Endpoint;
  /** It goes to sleep after so long without work, and to be looked at is work; absent: it never does. */
  readonly sleepAfterMs?: number;
}
/** What the process says of itself once it is ready. */
export interface ReadyReport {
  /** Per slot, as the process reports it; null when it does not. */
  readonly contextTokens: number | null;
  readonly slots: number | null;
}

/** Sent by the health watch when the process runs and does not answer. */
export type HealthEvent = { type: 'health.lost'; message: string };

/** A process whose conversations are to be kept, or brought back. */
export interface ConversationsSpec extends ReadySpec {
  readonly launch: LaunchOptions;
}

/** A model whose memory is on its way. */
export interface ReadAheadSpec {
  readonly modelName: string;
  /** Its file. */
  readonly path: string;
}

/** Sent by the watch over a process's memory: what it holds, per device, when that is another amount than was told last. */
export type UseEvent = { type: 'use.measured'; use: Reservation };

export interface UseSpec {
  readonly runnerId: RunnerId;
  readonly pid: number | null;
  readonly reservation: Reservation;
  /** Of the reservation, what is main memory's share wherever the layers go. */
  readonly hostBytes: number;
}

/** Whose door it is. */
export interface DoorSpec {
  readonly runnerId: RunnerId;
  readonly spec: ModelSpec;
}

/** What a runner does with its door. */
export type DoorCommand =
  /** From now on requests may enter, so many at a time. */
  | { type: 'door.open'; endpoint: Endpoint; slots: number }
  /** Nobody may enter any more. */
  | { type: 'door.close' }
  /** Nobody may enter any more, and those inside lose their runner. */
  | { type: 'door.evacuate'; failure: Failure };

/** What a door tells its runner: not each request, but when the first one enters and the last one leaves. */
export type DoorEvent =
  /** The first one is inside; or one that has a keep-alive of its own. */
  | { type: 'door.entered'; keepAlive: KeepAlive | null }
  /** The last one has left an open door. */
  | { type: 'door.emptied' }
  /** It was closed, and nobody is inside any more; told once. */
  | { type: 'door.closed' };

/**
 * Everything the machines may ask of the world. Each fails by its name until `src/compose.ts` provides it.
 * `actors/real.ts` is one table of this type, the simulation's is another.
 */
export const effects = {
  /** Lasts: one process from spawn to exit. Leaving its state kills the process at once. */
  runProcess: callbackOf<ProcessCommand, ProcessSpec>('runProcess'),
  /** Lasts as long as its runner: lets requests through to it without asking anybody, while they are allowed to and a slot is free. */
  keepDoor: callbackOf<DoorCommand, DoorSpec>('keepDoor'),
  /** Resolves when the process answers that it is ready; never rejects for "not yet". */
  awaitReady: promiseOf<ReadyReport, ReadySpec>('awaitReady'),
  /** Lasts: sends one `health.lost` when a ready process stops answering. */
  watchHealth: callbackOf<{ type: 'none' }, ReadySpec>('watchHealth'),
  /** One reading of the named devices (all, when null). Rejects when nothing could be read. */
  probeDevices: promiseOf<readonly DeviceReading[], { deviceIds: readonly DeviceId[] | null }>(
    'probeDevices',
  ),
  /** Brings a process's conversations back before it serves; resolves when it has, or when there are none. */
  restoreConversations: promiseOf<void, ConversationsSpec>('restoreConversations'),
  /** Keeps those of a process that is about to end which are worth it. */
  saveConversations: promiseOf<void, ConversationsSpec>('saveConversations'),
  /** Lasts: reads a model's file into main memory while others make room for it, as far as there is room; tells nothing. */
  readAhead: callbackOf<{ type: 'none' }, ReadAheadSpec>('readAhead'),
  /** Lasts: sends what a ready process really holds, at once and while it serves; nothing where that cannot be told. */
  watchUse: callbackOf<{ type: 'none' }, UseSpec>('watchUse'),
};
export type Effects = typeof effects;

/** What the world outside does; doors are our own. */
export type OuterEffects = Omit<Effects, 'keepDoor'>;
