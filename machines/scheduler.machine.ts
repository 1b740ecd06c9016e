import { newContext, schedulerSetup } from './scheduler/setup.ts';

/** What is entered into the ledger whatever the state; all but the last five are followed by a new plan. */
const bookkeeping = {
  'request.withdrawn': { actions: 'withdrawRequest' },
  'lease.released': { actions: 'closeLease' },
  'model.keep': { actions: 'keepModel' },
  'model.unload': { actions: 'unloadModel' },
  'runner.stop': { actions: 'stopRunner' },
  'runner.moved': { actions: 'noteMoved' },
  'runner.loaded': { actions: 'noteLoaded' },
  'runner.overstayed': { actions: 'noteOverstayed' },
  'lease.refused': { actions: 'noteLeaseRefused' },
  'lease.lost': { actions: 'noteLeaseLost' },
  'runner.measured': { actions: 'noteMeasured' },
  'plan.wake': { actions: 'wake' },
  // Nothing to decide anew: these only inform.
  'lease.opened': { actions: 'noteLeaseOpened' },
  'runner.started': { actions: 'noteStarted' },
  'runner.progress': { actions: 'noteProgress' },
  'runner.stuck': { actions: 'noteStuck' },
  'runner.unrecovered': { actions: 'noteUnrecovered' },
} as const;

/**
 * Owns the queue, the runners and the device inventory. Every event is entered into the ledger, then the planner is
 * asked until it rests; what it decides becomes events to the runners. Nothing is decided in the chart itself: it only
 * says when requests are admitted.
 */
export const schedulerMachine = schedulerSetup.createMachine({
  id: 'scheduler',
  context: newContext,
  initial: 'starting',
  invoke: {
    id: 'devices',
    src: 'devices',
    input: ({ self, context }) => ({
      supervisor: self,
      intervalMs: context.settings.probeIntervalMs,
      deadlineMs: context.settings.runner.probeDeadlineMs,
    }),
    onError: {},
  },
  states: {
    /** The devices are not known yet: requests queue. */
    starting: {
      on: {
        'request.submitted': { actions: 'queueRequest' },
        'request.withdrawn': { actions: 'unqueueRequest' },
        'model.load': { actions: 'queueModel' },
        'config.changed': { actions: ['applyConfig', 'rememberConfig'] },
        'devices.read': { target: 'running', actions: 'learnDevices' },
        'scheduler.drain': { target: 'draining', actions: 'drainAll' },
      },
      after: { inventoryDeadline: 'running' },
    },
    running: {
      entry: ['preloadModels', 'plan'],
      on: {
        ...bookkeeping,
        'request.submitted': { actions: 'takeRequest' },
        'model.load': { actions: 'loadModel' },
        'config.changed': { actions: ['applyConfig', 'rememberConfig', 'plan'] },
        'devices.read': { actions: 'readDevices' },
        'scheduler.drain': { target: 'draining', actions: 'drainAll' },
        'xstate.done.actor.*': { actions: 'finalizeRunner' },
        'xstate.error.actor.*': { actions: 'finalizeBroken' },
      },
    },
    /** Running leases may finish; nobody new is let in. */
    draining: {
      always: { guard: 'isEmpty', target: 'stopped' },
      on: {
        ...bookkeeping,
        'request.submitted': { actions: 'refuseRequest' },
        'scheduler.drain': { actions: 'drainAll' },
        'scheduler.hurry': { actions: 'stopAll' },
        'xstate.done.actor.*': { actions: 'finalizeRunner' },
        'xstate.error.actor.*': { actions: 'finalizeBroken' },
      },
    },
    stopped: { type: 'final' },
  },
});
