import { newContext, schedulerSetup } from './scheduler/setup.ts';

/** What is entered into the tables whatever the state. */
const bookkeeping = {
  'request.withdrawn': { actions: 'withdrawRequest' },
  'request.returned': { actions: 'putBackRequest' },
  'doors.used': { actions: 'noteUses' },
  'model.keep': { actions: 'keepModel' },
  'model.unload': { actions: 'unloadModel' },
  'devices.pause': { actions: 'pauseDevices' },
  'devices.resume': { actions: 'resumeDevices' },
  'runner.stop': { actions: 'stopRunner' },
  'runner.moved': { actions: 'noteMoved' },
  'runner.loaded': { actions: 'noteLoaded' },
  'runner.overstayed': { actions: 'noteOverstayed' },
  'runner.measured': { actions: 'noteMeasured' },
  'runner.started': { actions: 'noteStarted' },
  'runner.progress': { actions: 'noteProgress' },
  'runner.stuck': { actions: 'noteStuck' },
  'runner.unrecovered': { actions: 'noteUnrecovered' },
  'plan.wake': { actions: 'wake' },
  'scheduler.drain': { target: '.draining', actions: 'drainAll' },
  'xstate.done.actor.*': { actions: 'finalizeRunner' },
  'xstate.error.actor.*': { actions: 'finalizeBroken' },
} as const;

/**
 * Owns the queue, the runners and the device inventory, and plays the models' charts. Every event is entered into the tables; in
 * `running`, whenever they are others than those that the last plan has left, the planner is asked until it rests, and what it decides
 * becomes events to the runners. The chart itself decides nothing: it says when requests are admitted, and when there are plans.
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
  on: bookkeeping,
  states: {
    /** The devices are not known yet: requests queue, those for preloading before all others. */
    starting: {
      entry: 'preloadModels',
      on: {
        'request.submitted': { actions: 'takeRequest' },
        'model.load': { actions: 'loadModel' },
        'config.changed': { actions: ['applyConfig', 'rememberSettings'] },
        'devices.read': { target: 'running', actions: 'readDevices' },
      },
      after: { inventoryDeadline: 'running' },
    },
    running: {
      // No state of its own: it would be left in the same instant, and each event would pay for it.
      always: { guard: 'isUnplanned', actions: 'plan' },
      on: {
        'request.submitted': { actions: 'takeRequest' },
        'model.load': { actions: 'loadModel' },
        'config.changed': { actions: ['applyConfig', 'rememberSettings'] },
        'devices.read': { actions: 'readDevices' },
      },
    },
    /** Running leases may finish; nobody new is let in. */
    draining: {
      always: { guard: 'isEmpty', target: 'stopped' },
      on: {
        'request.submitted': { actions: 'refuseRequest' },
        'request.returned': { actions: 'refuseReturned' },
        'scheduler.drain': { actions: 'drainAll' },
        'scheduler.hurry': { actions: 'stopAll' },
      },
    },
    stopped: { type: 'final' },
  },
});
