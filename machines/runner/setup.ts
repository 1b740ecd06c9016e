import { assign, raise, sendTo, setup } from 'xstate';
import {
  effects,
  type DoorEvent,
  type HealthEvent,
  type ProcessEvent,
  type ReadyReport,
  type ReadySpec,
  type UseEvent,
} from '../effects.ts';
import type { Failure } from '../failures.ts';
import { hasComeToRest, hasRecovered, recoveryPauseMs, type MemoryBaseline } from '../planning/recovery.ts';
import { readArguments } from '../planning/server-options.ts';
import type { DeviceReading, Endpoint, KeepAlive } from '../vocabulary.ts';
import type { RunnerCommand, RunnerInput, RunnerOutcome, RunnerReport, RunnerState } from './contract.ts';
import { drainOver } from './texts.ts';

type RunnerEvent = RunnerCommand | ProcessEvent | HealthEvent | UseEvent | DoorEvent | { type: 'drain.over' };

export interface RunnerContext extends RunnerInput {
  readonly pinned: boolean;
  readonly pid: number | null;
  readonly endpoint: Endpoint | null;
  /** Of the keep-alive that runs, what had passed before its timer was set. */
  readonly idleMs: number;
  readonly drainMs: number;
  readonly failure: Failure | null;
  readonly reason: string;
  readonly wasReady: boolean;
  /** What its process said of itself when it was ready. */
  readonly ready: ReadyReport;
  readonly baseline: MemoryBaseline;
  /** Of its devices, since its process has gone; null before the first. */
  readonly lastReadings: readonly DeviceReading[] | null;
  /** How often they were tried to be read since then. */
  readonly recoveryReadings: number;
}

type Keep = Omit<Extract<RunnerCommand, { type: 'runner.keep' }>, 'type'>;

export const runnerSetup = setup({
  types: {
    context: {} as RunnerContext,
    events: {} as RunnerEvent,
    input: {} as RunnerInput,
    output: {} as RunnerOutcome,
  },
  actors: {
    runProcess: effects.runProcess,
    keepDoor: effects.keepDoor,
    awaitReady: effects.awaitReady,
    watchHealth: effects.watchHealth,
    probeDevices: effects.probeDevices,
    watchUse: effects.watchUse,
    restoreConversations: effects.restoreConversations,
    saveConversations: effects.saveConversations,
  },
  actions: {
    report: sendTo(
      ({ context }) => context.supervisor,
      (_, report: RunnerReport) => report,
    ),
    reportState: sendTo(
      ({ context }) => context.supervisor,
      ({ context }, params: { state: RunnerState }): RunnerReport => ({
        type: 'runner.moved',
        runnerId: context.runnerId,
        state: params.state,
        reason: context.failure?.message ?? context.reason,
        failure: context.failure,
      }),
    ),
    rememberStart: assign({
      pid: (_, params: { pid: number | null; endpoint: Endpoint }) => params.pid,
      endpoint: (_, params) => params.endpoint,
    }),
    rememberReady: assign({
      wasReady: true,
      reason: 'loaded',
      ready: (_, params: ReadyReport) => params,
    }),
    rememberReason: assign({ reason: (_, params: { reason: string }) => params.reason }),
    rememberFailure: assign({
      failure: ({ context }, params: { failure: Failure }) => context.failure ?? params.failure,
    }),
    rememberDrain: assign({
      reason: (_, params: { reason: string; drainMs: number }) => params.reason,
      drainMs: ({ context }, params) => Math.min(context.drainMs, params.drainMs),
    }),
    rememberBaseline: assign({
      baseline: (_, params: { readings: readonly DeviceReading[] }) => params.readings,
    }),
    rememberReadings: assign({
      lastReadings: (_, params: { readings: readonly DeviceReading[] }) => params.readings,
    }),
    countReading: assign({ recoveryReadings: ({ context }) => context.recoveryReadings + 1 }),
    expectBaseline: assign({ baseline: 'unknown' }),
    rememberKeep: assign({
      keepAlive: (_, params: Keep) => params.keepAlive,
      idleMs: (_, params) => params.idleMs ?? 0,
      pinned: (_, params) => params.pinned,
      keepAliveMode: ({ context }, params) => params.keepAliveMode ?? context.keepAliveMode,
    }),
    /** A lease may bring a keep-alive of its own along, which counts from its end. */
    serve: assign({
      keepAlive: ({ context }, params: { keepAlive: KeepAlive | null }) =>
        params.keepAlive ?? context.keepAlive,
      reason: 'serving',
    }),
    rest: assign({ idleMs: 0, reason: 'its last lease ended' }),
    openDoor: sendTo('door', ({ context }) => ({
      type: 'door.open' as const,
      endpoint: endpointOf(context),
      slots: slotsOf(context),
    })),
    reportLoaded: sendTo(
      ({ context }) => context.supervisor,
      ({ context }): RunnerReport => ({
        type: 'runner.loaded',
        runnerId: context.runnerId,
        contextTokens: context.ready.contextTokens,
        slots: slotsOf(context),
      }),
    ),
    closeDoor: sendTo('door', { type: 'door.close' }),
    evacuate: sendTo('door', ({ context }) => ({
      type: 'door.evacuate' as const,
      failure: context.failure ?? drainOver(context.spec.name),
    })),
    endDrainIn: raise(
      { type: 'drain.over' },
      { id: 'drain', delay: (_, params: { drainMs: number }) => params.drainMs },
    ),
    tellServing: sendTo('process', { type: 'process.serving' }),
    terminateProcess: sendTo('process', { type: 'process.terminate' }),
    killProcess: sendTo('process', { type: 'process.kill' }),
  },
  guards: {
    isKept: ({ context }) => context.pinned || context.keepAlive === 'forever',
    isShorterDrain: ({ context }, params: { drainMs: number }) => params.drainMs < context.drainMs,
    keepsConversations: ({ context }) => context.spec.launch.conversations !== undefined,
    // One that failed, or has to go now, does not.
    hasConversations: ({ context }) =>
      context.spec.launch.conversations !== undefined && context.wasReady && context.failure === null,
    isSoft: ({ context }) => context.keepAliveMode === 'soft',
    hasFailed: ({ context }) => context.failure !== null,
    hasNothingToRecover: ({ context }) => context.laggingDevices.length === 0,
    needsNoBaseline: ({ context }) => context.laggingDevices.length === 0,
    isRecovered: ({ context }, params: { readings: readonly DeviceReading[] }) =>
      // An aborted load held an unknown part of its reservation: all that can be waited for is that no more comes back.
      context.wasReady
        ? hasRecovered(context.baseline, params.readings, context.reservation, context.laggingDevices)
        : hasComeToRest(context.lastReadings, params.readings, context.laggingDevices),
  },
  delays: {
    loadStall: ({ context }) => context.limits.loadStallMs,
    loadTotal: ({ context }) => context.limits.loadTotalMs,
    keepAlive: ({ context }) =>
      context.keepAlive === 'forever' ? Infinity : Math.max(0, context.keepAlive - context.idleMs),
    drainLimit: ({ context }) => context.drainMs,
    terminateGrace: ({ context }) => context.limits.terminateGraceMs,
    killAlarm: ({ context }) => context.limits.killAlarmMs,
    conversations: ({ context }) => context.limits.conversationsMs,
    probeDeadline: ({ context }) => context.limits.probeDeadlineMs,
    recoveryPoll: ({ context }) => recoveryPauseMs(context.recoveryReadings, context.limits.recoveryPollMs),
    recoveryLimit: ({ context }) => context.limits.recoveryLimitMs,
  },
});

/** Never missing once the process has started. */
const endpointOf = ({ endpoint }: RunnerContext): Endpoint => endpoint ?? { baseUrl: '', apiKey: '' };

/** How many requests it serves at a time: as many as it was told to, or fewer where its process says so. */
const slotsOf = ({ spec, ready }: RunnerContext): number =>
  Math.min(ready.slots ?? Infinity, spec.launch.slots);

/** Input of the effects that talk to a started process. */
export const readySpec = ({ context }: { context: RunnerContext }): ReadySpec => {
  const { sleepAfterSeconds } = readArguments(context.spec.launch.extraArgs).options;
  return {
    runnerId: context.runnerId,
    modelName: context.spec.name,
    endpoint: endpointOf(context),
    ...(sleepAfterSeconds !== undefined && { sleepAfterMs: sleepAfterSeconds * 1_000 }),
  };
};
/** Input of the effects that keep conversations and bring them back. */
export const conversationsSpec = ({ context }: { context: RunnerContext }) => ({
  ...readySpec({ context }),
  launch: context.spec.launch,
});
/** Remembers a failure made from the context; the first failure stays. */
export const fail = (makeFailure: (context: RunnerContext) => Failure) => ({
  type: 'rememberFailure' as const,
  params: ({ context }: { context: RunnerContext }) => ({ failure: makeFailure(context) }),
});
