import { newContext, schedulerSetup } from './scheduler/setup.ts';

/** What is entered into the ledger whatever the state, and followed by a new plan. */
const bookkeeping = {
  'request.withdrawn': { actions: ['withdrawRequest', 'plan'] },
  'lease.released': { actions: ['closeLease', 'plan'] },
  'model.keep': { actions: ['keepModel', 'plan'] },
  'model.unload': { actions: ['unloadModel', 'plan'] },
  'runner.stop': { actions: ['stopRunner', 'plan'] },
  'runner.moved': { actions: ['noteMoved', 'plan'] },
  'runner.loaded': { actions: ['noteLoaded', 'plan'] },
  'runner.overstayed': { actions: ['noteOverstayed', 'plan'] },
  'lease.refused': { actions: ['noteLeaseRefused', 'plan'] },
  'lease.lost': { actions: ['noteLeaseLost', 'plan'] },
  'plan.wake': { actions: ['plan'] },
  // Nothing to decide anew: these only inform.
  'lease.opened': { actions: ['noteLeaseOpened'] },
  'runner.started': { actions: ['noteStarted'] },
  'runner.progress': { actions: ['noteProgress'] },
  'runner.measured': { actions: ['noteMeasured', 'plan'] },
  'runner.stuck': { actions: ['noteStuck'] },
  'runner.unrecovered': { actions: ['noteUnrecovered'] },
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
        'request.submitted': { actions: ['takeRequest'] },
        'request.withdrawn': { actions: ['withdrawRequest'] },
        'model.load': { actions: ['loadModel'] },
        'devices.read': { target: 'running', actions: ['readDevices'] },
        'scheduler.drain': { target: 'draining', actions: ['drainAll'] },
      },
      after: { inventoryDeadline: 'running' },
    },
    running: {
      entry: ['preloadModels', 'plan'],
      on: {
        ...bookkeeping,
        'request.submitted': { actions: ['takeRequest', 'plan'] },
        'model.load': { actions: ['loadModel', 'plan'] },
        'devices.read': { actions: ['readDevices', 'plan'] },
        'scheduler.drain': { target: 'draining', actions: ['drainAll'] },
        'xstate.done.actor.*': { actions: ['buryRunner', 'plan'] },
        'xstate.error.actor.*': { actions: ['buryBroken', 'plan'] },
      },
    },
    /** Running leases may finish; nobody new is let in. */
    draining: {
      always: { guard: 'isEmpty', target: 'stopped' },
      on: {
        ...bookkeeping,
        'request.submitted': { actions: ['refuseRequest'] },
        'scheduler.drain': { actions: ['drainAll'] },
        'scheduler.hurry': { actions: ['stopAll'] },
        'xstate.done.actor.*': { actions: ['buryRunner'] },
        'xstate.error.actor.*': { actions: ['buryBroken'] },
      },
    },
    stopped: { type: 'final' },
  },
});
