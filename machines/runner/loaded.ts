import { readySpec, runnerSetup } from './setup.ts';
import { crashed, unresponsive } from './texts.ts';

/** No lease: the keep-alive runs. A lease at the very instant of its end still wins (`overdue`). */
const idle = runnerSetup.createStateConfig({
  initial: 'resting',
  on: {
    'door.entered': { target: 'ready', actions: { type: 'serve', params: ({ event }) => event } },
    'runner.keep': {
      target: 'idle',
      reenter: true,
      actions: { type: 'rememberKeep', params: ({ event }) => event },
    },
    'runner.expire': {
      target: 'expiring',
      actions: {
        type: 'rememberDrain',
        params: ({ event }) => ({ reason: event.reason, drainMs: event.drainMs }),
      },
    },
  },
  states: {
    resting: { always: [{ guard: 'isKept', target: 'kept' }, { target: 'counting' }] },
    kept: {},
    counting: { after: { keepAlive: [{ guard: 'isSoft', target: 'overstaying' }, { target: 'overdue' }] } },
    overdue: {
      after: {
        0: {
          target: '#runner.alive.loaded.expiring',
          actions: { type: 'rememberReason', params: { reason: 'its keep-alive ended' } },
        },
      },
    },
    overstaying: {
      entry: {
        type: 'report',
        params: ({ context }) => ({ type: 'runner.overstayed', runnerId: context.runnerId }),
      },
    },
  },
});

/** The model is in memory and answers: ready with leases, idle without, expiring when it has to go. */
export const loaded = runnerSetup.createStateConfig({
  initial: 'idle',
  // First the door, then the word: those who wait are let in at once.
  entry: ['openDoor', 'reportLoaded', 'tellServing'],
  invoke: [
    {
      id: 'health',
      src: 'watchHealth',
      input: readySpec,
      // Served unwatched: the end of its process is heard all the same.
      onError: {},
    },
    {
      id: 'use',
      src: 'watchUse',
      input: ({ context }) => ({
        runnerId: context.runnerId,
        pid: context.pid,
        reservation: context.reservation,
        hostBytes: context.spec.hostBytes ?? 0,
      }),
      // Not knowing is no failure: the prediction stays.
      onError: {},
    },
  ],
  on: {
    'use.measured': {
      actions: {
        type: 'report',
        params: ({ context, event }) => ({
          type: 'runner.measured',
          runnerId: context.runnerId,
          use: event.use,
        }),
      },
    },
    'process.ending': {
      target: 'unloading',
      actions: {
        type: 'rememberFailure',
        params: ({ context, event }) => ({ failure: crashed(context.spec.name, event.message) }),
      },
    },
    'health.lost': {
      target: 'unloading',
      actions: {
        type: 'rememberFailure',
        params: ({ context, event }) => ({ failure: unresponsive(context.spec.name, event.message) }),
      },
    },
    'process.exited': {
      target: '#runner.vram-recovering',
      actions: [{ type: 'rememberFailure', params: ({ event }) => ({ failure: event.failure }) }, 'evacuate'],
    },
    'runner.stop': {
      target: 'unloading',
      actions: { type: 'rememberFailure', params: ({ event }) => ({ failure: event.failure }) },
    },
  },
  states: {
    idle,
    ready: {
      on: {
        'door.entered': { actions: { type: 'serve', params: ({ event }) => event } },
        'door.emptied': [
          { guard: 'isKept', target: '#runner.alive.loaded.idle.kept', actions: 'rest' },
          { target: '#runner.alive.loaded.idle.counting', actions: 'rest' },
        ],
        'runner.keep': { actions: { type: 'rememberKeep', params: ({ event }) => event } },
        'runner.expire': {
          target: 'expiring',
          actions: {
            type: 'rememberDrain',
            params: ({ event }) => ({ reason: event.reason, drainMs: event.drainMs }),
          },
        },
      },
    },
    expiring: {
      entry: [{ type: 'reportState', params: { state: 'expiring' } }, 'closeDoor'],
      after: { drainLimit: { target: '#runner.alive.unloading' } },
      on: {
        'door.closed': { target: '#runner.alive.unloading' },
        // The limit that runs stays; another one can only end the drain sooner.
        'runner.expire': {
          guard: { type: 'isShorterDrain', params: ({ event }) => ({ drainMs: event.drainMs }) },
          actions: [
            {
              type: 'rememberDrain',
              params: ({ event }) => ({ reason: event.reason, drainMs: event.drainMs }),
            },
            { type: 'endDrainIn', params: ({ event }) => ({ drainMs: event.drainMs }) },
          ],
        },
        'drain.over': { target: '#runner.alive.unloading' },
      },
    },
  },
});
