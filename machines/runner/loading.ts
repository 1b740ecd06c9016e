import { conversationsSpec, fail, readySpec, runnerSetup } from './setup.ts';
import { loadTooLong, notReady, stalled } from './texts.ts';

/** From spawn to readiness. Nobody holds a lease; a command to go aborts the load at once. */
export const loading = runnerSetup.createStateConfig({
  entry: { type: 'reportState', params: { state: 'loading' } },
  initial: 'starting',
  after: {
    loadTotal: { target: 'unloading', actions: fail(({ spec, limits }) => loadTooLong(spec.name, limits)) },
  },
  on: {
    'runner.expire': {
      target: 'unloading',
      actions: { type: 'rememberReason', params: ({ event }) => ({ reason: event.reason }) },
    },
    'runner.stop': {
      target: 'unloading',
      actions: { type: 'rememberFailure', params: ({ event }) => ({ failure: event.failure }) },
    },
    'process.started': {
      // Also a second time: a process that lost its port is started again on another one.
      target: '.warming',
      actions: [
        {
          type: 'rememberStart',
          params: ({ event }) => ({ pid: event.pid, endpoint: event.endpoint }),
        },
        {
          type: 'report',
          params: ({ context, event }) => ({
            type: 'runner.started',
            runnerId: context.runnerId,
            pid: event.pid,
            endpoint: event.endpoint,
          }),
        },
      ],
    },
    'runner.keep': { actions: { type: 'rememberKeep', params: ({ event }) => event } },
    'process.exited': {
      target: '#runner.vram-recovering',
      actions: { type: 'rememberFailure', params: ({ event }) => ({ failure: event.failure }) },
    },
  },
  states: {
    starting: {
      after: { loadStall: { target: '#runner.alive.unloading', actions: fail(stalled) } },
    },
    warming: {
      invoke: {
        id: 'readiness',
        src: 'awaitReady',
        input: readySpec,
        onDone: [
          {
            guard: 'keepsConversations',
            target: 'restoring',
            actions: { type: 'rememberReady', params: ({ event }) => event.output },
          },
          {
            target: '#runner.alive.loaded',
            actions: { type: 'rememberReady', params: ({ event }) => event.output },
          },
        ],
        onError: {
          target: '#runner.alive.unloading',
          actions: {
            type: 'rememberFailure',
            params: ({ context, event }) => ({ failure: notReady(context.spec.name, event.error) }),
          },
        },
      },
      // Asked at once, and not only when its turn comes.
      on: { 'process.listening': { target: 'warming', reenter: true } },
      initial: 'waiting',
      states: {
        waiting: {
          after: { loadStall: { target: '#runner.alive.unloading', actions: fail(stalled) } },
          on: {
            'process.activity': {
              target: 'waiting',
              reenter: true,
              actions: {
                type: 'report',
                params: ({ context, event }) => ({
                  type: 'runner.progress',
                  runnerId: context.runnerId,
                  progress: event.progress,
                }),
              },
            },
          },
        },
      },
    },
    /** It could serve, and is given back what it had computed before: a bounded time, and serves without it if that fails. */
    restoring: {
      invoke: {
        id: 'conversations',
        src: 'restoreConversations',
        input: conversationsSpec,
        onDone: '#runner.alive.loaded',
        onError: '#runner.alive.loaded',
      },
      after: { conversations: '#runner.alive.loaded' },
    },
  },
});
