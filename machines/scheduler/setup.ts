import { setup } from 'xstate';
import { devicesMachine } from '../devices.machine.ts';
import { runnerMachine } from '../runner.machine.ts';
import type { RunnerOutcome } from '../runner/contract.ts';
import type { ModelSpec } from '../vocabulary.ts';
import * as commands from './commands.ts';
import type { SchedulerEmitted, SchedulerEvent, SchedulerInput, SchedulerSettings } from './contract.ts';
import { Ledger } from './ledger.ts';
import * as reports from './reports.ts';
import * as steps from './steps.ts';
import type { Outlet } from './steps.ts';

export interface SchedulerContext {
  readonly settings: SchedulerSettings;
  /** One object for all tables: it is written in place, since copying them on each event would cost more than planning. */
  readonly ledger: Ledger;
  readonly preload: readonly ModelSpec[];
}

export const newContext = ({ input }: { input: SchedulerInput }): SchedulerContext => ({
  settings: input.settings,
  ledger: new Ledger(input.settings, input.now),
  preload: input.preload,
});

const base = setup({
  types: {
    context: {} as SchedulerContext,
    events: {} as SchedulerEvent,
    input: {} as SchedulerInput,
    emitted: {} as SchedulerEmitted,
  },
  actors: { runner: runnerMachine, devices: devicesMachine },
  delays: { inventoryDeadline: 30_000 },
  guards: {
    isEmpty: ({ context }) => context.ledger.runners.size === 0,
    hasDevices: ({ context }) => context.ledger.devices.size > 0,
  },
});

/** An end of a child actor, as XState tells it. */
type ChildEvent =
  | { type: 'xstate.done.actor.*'; actorId: string; output: RunnerOutcome }
  | { type: 'xstate.error.actor.*'; actorId: string; error: unknown };
type EventFor<Type> = Extract<SchedulerEvent | ChildEvent, { type: Type }>;

/** An action for one type of event, which works on the ledger and reaches the world through an outlet. */
const on = <Type extends (SchedulerEvent | ChildEvent)['type'] | '*'>(
  type: Type,
  work: (args: { event: EventFor<Type>; ledger: Ledger; settings: SchedulerSettings; out: Outlet }) => void,
) =>
  base.enqueueActions(({ context, event, enqueue, self }) => {
    const { ledger, settings } = context;
    if (!type.endsWith('*') && event.type !== type) return;
    const out: Outlet = {
      emit: (emitted) => enqueue.emit(emitted),
      command: (runnerId, command) => enqueue.sendTo(runnerId, command),
      reap: (runnerId) => enqueue.stopChild(runnerId),
      spawn: ({ id: runnerId }, spec, reservation) =>
        enqueue.spawnChild('runner', {
          id: runnerId,
          input: {
            runnerId,
            spec,
            reservation,
            laggingDevices: ledger.laggingDevices(reservation),
            keepAlive: spec.keepAlive,
            keepAliveMode: settings.keepAliveMode,
            limits: settings.runner,
            supervisor: self,
          },
        }),
      wakeIn: (delayMs) => {
        enqueue.cancel('wake');
        if (delayMs !== Infinity) enqueue.raise({ type: 'plan.wake' }, { id: 'wake', delay: delayMs });
      },
    };
    work({ event: event as unknown as EventFor<Type>, ledger, settings, out });
  });

export const schedulerSetup = base.extend({
  actions: {
    plan: on('*', ({ ledger, settings, out }) => steps.carryOutPlan(ledger, settings, out)),
    preloadModels: base.enqueueActions(({ context }) => {
      for (const spec of context.preload) steps.preload(context.ledger, spec);
    }),
    takeRequest: on('request.submitted', ({ event, ledger, settings, out }) =>
      steps.takeRequest(ledger, settings, event.request, out),
    ),
    refuseRequest: on('request.submitted', ({ event, ledger, out }) =>
      steps.refuse(ledger, [event.request], commands.shuttingDown, out),
    ),
    withdrawRequest: on('request.withdrawn', ({ event, ledger, out }) =>
      reports.withdraw(ledger, event.leaseId, out),
    ),
    closeLease: on('lease.released', ({ event, ledger, out }) =>
      reports.closeLease(ledger, event.leaseId, out),
    ),
    readDevices: on('devices.read', ({ event, ledger }) => ledger.read(event.readings)),
    loadModel: on('model.load', ({ event, ledger }) => steps.preload(ledger, event.spec)),
    unloadModel: on('model.unload', ({ event, ledger, out }) => commands.unloadModel(ledger, event, out)),
    stopRunner: on('runner.stop', ({ event, ledger, out }) => commands.stopRunner(ledger, event, out)),
    keepModel: on('model.keep', ({ event, ledger, out }) => commands.keepModel(ledger, event, out)),
    drainAll: on('scheduler.drain', ({ event, ledger, out }) => commands.drainAll(ledger, event, out)),
    stopAll: on('scheduler.hurry', ({ ledger, out }) => commands.stopAll(ledger, out)),
    noteMoved: on('runner.moved', ({ event, ledger, out }) => reports.noteMoved(ledger, event, out)),
    noteStarted: on('runner.started', ({ event, ledger, out }) => reports.noteStarted(ledger, event, out)),
    noteProgress: on('runner.progress', ({ event, ledger, out }) => reports.noteProgress(ledger, event, out)),
    noteLoaded: on('runner.loaded', ({ event, ledger, out }) => reports.noteLoaded(ledger, event, out)),
    noteMeasured: on('runner.measured', ({ event, ledger, out }) => reports.noteMeasured(ledger, event, out)),
    noteOverstayed: on('runner.overstayed', ({ event, ledger }) => reports.noteOverstayed(ledger, event)),
    noteStuck: on('runner.stuck', ({ event, ledger, out }) => reports.noteTrouble(ledger, event, out)),
    noteUnrecovered: on('runner.unrecovered', ({ event, ledger, out }) =>
      reports.noteTrouble(ledger, event, out),
    ),
    noteLeaseOpened: on('lease.opened', ({ event, ledger, out }) =>
      reports.noteLeaseOpened(ledger, event, out),
    ),
    noteLeaseRefused: on('lease.refused', ({ event, ledger }) => reports.noteLeaseRefused(ledger, event)),
    noteLeaseLost: on('lease.lost', ({ event, ledger, out }) => reports.noteLeaseLost(ledger, event, out)),
    buryRunner: on('xstate.done.actor.*', ({ event, ledger, out }) => steps.bury(ledger, event.output, out)),
    buryBroken: on('xstate.error.actor.*', ({ event, ledger, out }) =>
      steps.buryBroken(ledger, event.actorId, event.error, out),
    ),
  },
});
