import { conversationsSpec, runnerSetup } from './setup.ts';

/** The process is made to end, and watched until it has. Its leases are over. */
export const unloading = runnerSetup.createStateConfig({
  entry: [{ type: 'reportState', params: { state: 'unloading' } }, 'evacuate'],
  initial: 'deciding',
  on: {
    'process.exited': '#runner.vram-recovering',
  },
  states: {
    deciding: {
      always: [{ guard: 'hasConversations', target: 'saving' }, { target: 'ending' }],
    },
    /** What it has computed is kept: a bounded time, which somebody may be waiting for. */
    saving: {
      invoke: {
        id: 'conversations',
        src: 'saveConversations',
        input: conversationsSpec,
        onDone: 'ending',
        onError: 'ending',
      },
      after: { conversations: 'ending' },
      on: { 'runner.stop': 'ending' },
    },
    ending: {
      always: [{ guard: 'needsNoBaseline', target: 'terminating' }, { target: 'measuring' }],
    },
    measuring: {
      entry: 'expectBaseline',
      invoke: {
        id: 'baseline',
        src: 'probeDevices',
        input: ({ context }) => ({ deviceIds: context.laggingDevices }),
        onDone: {
          target: 'terminating',
          actions: { type: 'rememberBaseline', params: ({ event }) => ({ readings: event.output }) },
        },
        onError: 'terminating',
      },
      after: { probeDeadline: 'terminating' },
    },
    terminating: { entry: 'terminateProcess', after: { terminateGrace: 'killing' } },
    killing: { entry: 'killProcess', after: { killAlarm: 'stuck' } },
    // SIGKILL has no effect on a process in an uninterruptible sleep: its memory stays booked, and people are told.
    stuck: {
      entry: {
        type: 'report',
        params: ({ context }) => ({ type: 'runner.stuck', runnerId: context.runnerId }),
      },
    },
  },
});

/** The process has gone; its reservation is held until the devices show the memory as free, or the limit passes. */
export const recovering = runnerSetup.createStateConfig({
  entry: { type: 'reportState', params: { state: 'vram-recovering' } },
  always: { guard: 'hasNothingToRecover', target: 'settled' },
  initial: 'probing',
  after: {
    recoveryLimit: {
      target: 'settled',
      actions: {
        type: 'report',
        params: ({ context }) => ({ type: 'runner.unrecovered', runnerId: context.runnerId }),
      },
    },
  },
  states: {
    probing: {
      invoke: {
        id: 'recovery',
        src: 'probeDevices',
        input: ({ context }) => ({ deviceIds: context.laggingDevices }),
        onDone: [
          {
            guard: { type: 'isRecovered', params: ({ event }) => ({ readings: event.output }) },
            target: '#runner.settled',
          },
          {
            target: 'waiting',
            actions: { type: 'rememberReadings', params: ({ event }) => ({ readings: event.output }) },
          },
        ],
        onError: 'waiting',
      },
      after: { probeDeadline: 'waiting' },
    },
    waiting: { entry: 'countReading', after: { recoveryPoll: 'probing' } },
  },
});
