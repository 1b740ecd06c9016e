import { loaded } from './runner/loaded.ts';
import { loading } from './runner/loading.ts';
import { runnerSetup } from './runner/setup.ts';
import { launcherBroke } from './runner/texts.ts';
import { recovering, unloading } from './runner/unloading.ts';

/**
 * One runner: a process that serves one model class, from spawn until its memory is back. It never errors; it ends
 * with an outcome. The process belongs to `alive`, which only the process's own exit leaves.
 */
export const runnerMachine = runnerSetup.createMachine({
  id: 'runner',
  context: ({ input }) => ({
    ...input,
    pinned: input.spec.pinned,
    pid: null,
    endpoint: null,
    idleMs: 0,
    drainMs: Infinity,
    failure: null,
    reason: 'requested',
    wasReady: false,
    ready: { contextTokens: null, slots: null },
    baseline: 'unneeded',
    lastReadings: null,
    recoveryReadings: 0,
  }),
  initial: 'alive',
  // As long as the runner: whoever is inside is counted until its process has gone.
  invoke: {
    id: 'door',
    src: 'keepDoor',
    input: ({ context: { runnerId, spec } }) => ({ runnerId, spec }),
    // Nobody can enter, which harms nobody else.
    onError: {},
  },
  states: {
    alive: {
      invoke: {
        id: 'process',
        src: 'runProcess',
        input: ({ context }) => ({
          runnerId: context.runnerId,
          modelName: context.spec.name,
          launch: context.spec.launch,
          reservation: context.reservation,
          ...(context.spec.hostBytes !== undefined && { hostBytes: context.spec.hostBytes }),
        }),
        onError: {
          target: 'vram-recovering',
          actions: [
            {
              type: 'rememberFailure',
              params: ({ context, event }) => ({ failure: launcherBroke(context.spec.name, event.error) }),
            },
            'evacuate',
          ],
        },
      },
      initial: 'loading',
      states: { loading, loaded, unloading },
    },
    'vram-recovering': recovering,
    settled: {
      always: [{ guard: 'hasFailed', target: 'failed' }, { target: 'gone' }],
    },
    gone: { type: 'final', entry: { type: 'reportState', params: { state: 'gone' } } },
    failed: { type: 'final', entry: { type: 'reportState', params: { state: 'failed' } } },
  },
  output: ({ context }) => ({
    runnerId: context.runnerId,
    failure: context.failure,
    wasReady: context.wasReady,
  }),
});
