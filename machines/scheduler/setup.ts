import { setup } from 'xstate';
import { devicesMachine } from '../devices.machine.ts';
import { runnerMachine } from '../runner.machine.ts';
import type { RunnerCommand, RunnerOutcome } from '../runner/contract.ts';
import type { ModelSpec, Reservation, RunnerId } from '../vocabulary.ts';
import * as commands from './commands.ts';
import type { SchedulerEmitted, SchedulerEvent, SchedulerInput, SchedulerSettings } from './contract.ts';
import { Ledger } from './ledger.ts';
import * as reconfigure from './reconfigure.ts';
import * as reports from './reports.ts';
import * as steps from './steps.ts';
import type { Outlet } from './steps.ts';
import type { RunnerRow } from './tables.ts';

export interface SchedulerContext {
  readonly settings: SchedulerSettings;
  /** One object for all tables: it is written in place, since copying them on each event would cost more than planning. */
  readonly ledger: Ledger;
  readonly preload: readonly ModelSpec[];
}

export const newContext = ({ input }: { input: SchedulerInput }): SchedulerContext => ({
  settings: input.settings,
  ledger: new Ledger(input.settings, input.now, input.demand),
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
type AnyEvent = SchedulerEvent | ChildEvent;
type EventFor<Type> = Extract<AnyEvent, { type: Type }>;

interface Work<Event> {
  readonly event: Event;
  readonly ledger: Ledger;
  readonly settings: SchedulerSettings;
  readonly out: Outlet;
}

/** An action for one type of event, which works on the ledger and reaches the world through an outlet. */
const noted = <Type extends AnyEvent['type'] | '*'>(type: Type, work: (args: Work<EventFor<Type>>) => void) =>
  base.enqueueActions(({ context, event, enqueue, self }) => {
    const { ledger, settings } = context;
    if (!type.endsWith('*') && event.type !== type) return;
    const out = new ChartOutlet(enqueue, context, self);
    work({ event: event as unknown as EventFor<Type>, ledger, settings, out });
  });

/** The same, followed by a new plan: one action and not two, since XState's own cost per action is above the planner's. */
const planned = <Type extends AnyEvent['type'] | '*'>(
  type: Type,
  work: (args: Work<EventFor<Type>>) => void,
) =>
  noted(type, (args) => {
    work(args);
    steps.carryOutPlan(args.ledger, args.settings, args.out);
  });

type Enqueue = Parameters<Parameters<typeof base.enqueueActions>[0]>[0];

/** Reaches the world through the actions that a transition enqueues. */
class ChartOutlet implements Outlet {
  readonly #enqueue: Enqueue['enqueue'];
  readonly #context: SchedulerContext;
  readonly #self: Enqueue['self'];

  constructor(enqueue: Enqueue['enqueue'], context: SchedulerContext, self: Enqueue['self']) {
    this.#enqueue = enqueue;
    this.#context = context;
    this.#self = self;
  }

  emit(event: SchedulerEmitted): void {
    this.#enqueue.emit(event);
  }

  command(runnerId: RunnerId, command: RunnerCommand): void {
    this.#enqueue.sendTo(runnerId, command);
  }

  reap(runnerId: RunnerId): void {
    this.#enqueue.stopChild(runnerId);
  }

  spawn({ id: runnerId }: RunnerRow, spec: ModelSpec, reservation: Reservation): void {
    const { ledger, settings } = this.#context;
    this.#enqueue.spawnChild('runner', {
      id: runnerId,
      input: {
        runnerId,
        spec,
        reservation,
        laggingDevices: ledger.laggingDevices(reservation),
        keepAlive: spec.keepAlive,
        keepAliveMode: settings.keepAliveMode,
        limits: settings.runner,
        supervisor: this.#self,
      },
    });
  }

  wakeAt(atMs: number): void {
    this.#enqueue.cancel('wake');
    // Rounded up: a timer knows whole ms only, and one that fires too early has to be armed once more.
    const delay = Math.ceil(atMs - this.#context.ledger.now());
    if (delay !== Infinity) this.#enqueue.raise({ type: 'plan.wake' }, { id: 'wake', delay });
  }
}

export const schedulerSetup = base.extend({
  actions: {
    plan: planned('*', () => {}),
    /** The timer has fired: if that was too early, the new plan arms it again. */
    wake: planned('plan.wake', ({ ledger }) => (ledger.armedForMs = Infinity)),
    preloadModels: base.enqueueActions(({ context }) => {
      for (const spec of context.preload) steps.preload(context.ledger, spec);
    }),
    takeRequest: planned('request.submitted', ({ event, ledger, settings, out }) =>
      steps.takeRequest(ledger, settings, event.request, out),
    ),
    queueRequest: noted('request.submitted', ({ event, ledger, settings, out }) =>
      steps.takeRequest(ledger, settings, event.request, out),
    ),
    refuseRequest: noted('request.submitted', ({ event, ledger, out }) =>
      steps.refuse(ledger, [event.request], commands.shuttingDown, out),
    ),
    withdrawRequest: planned('request.withdrawn', ({ event, ledger, out }) =>
      reports.withdraw(ledger, event.leaseId, out),
    ),
    unqueueRequest: noted('request.withdrawn', ({ event, ledger }) => ledger.withdraw(event.leaseId)),
    closeLease: planned('lease.released', ({ event, ledger, out }) =>
      reports.closeLease(ledger, event.leaseId, out),
    ),
    readDevices: planned('devices.read', ({ event, ledger }) => ledger.read(event.readings)),
    learnDevices: noted('devices.read', ({ event, ledger }) => ledger.read(event.readings)),
    loadModel: planned('model.load', ({ event, ledger }) => steps.preload(ledger, event.spec)),
    queueModel: noted('model.load', ({ event, ledger }) => steps.preload(ledger, event.spec)),
    unloadModel: planned('model.unload', ({ event, ledger, out }) =>
      commands.unloadModel(ledger, event, out),
    ),
    stopRunner: planned('runner.stop', ({ event, ledger, out }) => commands.stopRunner(ledger, event, out)),
    keepModel: planned('model.keep', ({ event, ledger, out }) => commands.keepModel(ledger, event, out)),
    applyConfig: noted('config.changed', ({ event, ledger, settings, out }) =>
      reconfigure.apply(ledger, settings, event.change, out),
    ),
    rememberConfig: base.assign(({ context, event }) =>
      event.type === 'config.changed' ? reconfigure.remember(context.preload, event.change) : {},
    ),
    drainAll: noted('scheduler.drain', ({ event, ledger, out }) => commands.drainAll(ledger, event, out)),
    stopAll: noted('scheduler.hurry', ({ ledger, out }) => commands.stopAll(ledger, out)),
    noteMoved: planned('runner.moved', ({ event, ledger, out }) => reports.noteMoved(ledger, event, out)),
    noteLoaded: planned('runner.loaded', ({ event, ledger, out }) => reports.noteLoaded(ledger, event, out)),
    noteMeasured: planned('runner.measured', ({ event, ledger, out }) =>
      reports.noteMeasured(ledger, event, out),
    ),
    noteOverstayed: planned('runner.overstayed', ({ event, ledger }) =>
      reports.noteOverstayed(ledger, event),
    ),
    noteLeaseRefused: planned('lease.refused', ({ event, ledger }) =>
      reports.noteLeaseRefused(ledger, event),
    ),
    noteLeaseLost: planned('lease.lost', ({ event, ledger, out }) =>
      reports.noteLeaseLost(ledger, event, out),
    ),
    noteLeaseOpened: noted('lease.opened', ({ event, ledger, out }) =>
      reports.noteLeaseOpened(ledger, event, out),
    ),
    noteStarted: noted('runner.started', ({ event, ledger, out }) => reports.noteStarted(ledger, event, out)),
    noteProgress: noted('runner.progress', ({ event, ledger, out }) =>
      reports.noteProgress(ledger, event, out),
    ),
    noteStuck: noted('runner.stuck', ({ event, ledger, out }) => reports.noteTrouble(ledger, event, out)),
    noteUnrecovered: noted('runner.unrecovered', ({ event, ledger, out }) =>
      reports.noteTrouble(ledger, event, out),
    ),
    buryRunner: planned('xstate.done.actor.*', ({ event, ledger, out }) =>
      steps.bury(ledger, event.output, out),
    ),
    buryBroken: planned('xstate.error.actor.*', ({ event, ledger, out }) =>
      steps.buryBroken(ledger, event.actorId, event.error, out),
    ),
  },
});
