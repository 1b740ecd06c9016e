import { setup } from 'xstate';
import { effects } from '../effects.ts';
import { devicesMachine } from '../devices.machine.ts';
import { runnerMachine } from '../runner.machine.ts';
import type { RunnerCommand, RunnerOutcome } from '../runner/contract.ts';
import type { ModelSpec, Reservation, RunnerId } from '../vocabulary.ts';
import * as commands from './commands.ts';
import type {
  EventOf,
  SchedulerEmitted,
  SchedulerEvent,
  SchedulerInput,
  SchedulerSettings,
} from './contract.ts';
import { Ledger } from './ledger.ts';
import * as pauses from './pauses.ts';
import { begun, ended } from './read-ahead.ts';
import * as reconfigure from './reconfigure.ts';
import * as reports from './reports.ts';
import * as steps from './steps.ts';
import type { Outlet } from './steps.ts';
import { newTables, type Tables } from './tables.ts';

export interface SchedulerContext {
  readonly settings: SchedulerSettings;
  /** The clock's time in ms. The machines never ask the world for it, and each transition asks once. */
  readonly now: () => number;
  /** All that is known: immutable, each transition makes new ones. */
  readonly tables: Tables;
  /** The tables that the last plan has left; null before the first. */
  readonly planned: Tables | null;
  readonly preload: readonly ModelSpec[];
}

export const newContext = ({ input }: { input: SchedulerInput }): SchedulerContext => ({
  settings: input.settings,
  now: input.now,
  tables: newTables(input.settings, input.demand),
  planned: null,
  preload: input.preload,
});

const base = setup({
  types: {
    context: {} as SchedulerContext,
    events: {} as SchedulerEvent,
    input: {} as SchedulerInput,
    emitted: {} as SchedulerEmitted,
  },
  actors: { runner: runnerMachine, devices: devicesMachine, readAhead: effects.readAhead },
  delays: { inventoryDeadline: 30_000 },
  guards: {
    isEmpty: ({ context }) => context.tables.runners.rows.length === 0,
    isUnplanned: ({ context }) => context.tables !== context.planned,
  },
});

/** How a runner has ended, from XState's event for the end of a child; null for the end of anything else. */
function outcomeOf(event: object): RunnerOutcome | null {
  const output: unknown = 'output' in event ? event.output : null;
  return isOutcome(output) ? output : null;
}

const isOutcome = (value: unknown): value is RunnerOutcome =>
  typeof value === 'object' && value !== null && 'runnerId' in value && 'wasReady' in value;

/** Which child broke, and on what, from XState's event for that. */
const errorOf = (event: object): { readonly actorId: string; readonly error: unknown } | null =>
  'actorId' in event && typeof event.actorId === 'string' && 'error' in event
    ? { actorId: event.actorId, error: event.error }
    : null;

interface Work<Event> {
  readonly event: Event;
  readonly ledger: Ledger;
  readonly settings: SchedulerSettings;
  readonly out: Outlet;
}

/** Tables to be changed in one transition, which happens at one moment. */
function draftOf(tables: Tables, now: () => number): Ledger {
  const nowMs = now();
  return new Ledger(tables, () => nowMs);
}

/** The tables that a transition has made; what the models' charts have gone through is told. */
function finished(ledger: Ledger, out: Outlet): Tables {
  for (const step of ledger.modelSteps) out.emit({ type: 'model.stepped', ...step });
  return ledger.finish();
}

/** An action that makes new tables of those there are, and reaches the world through an outlet: computing it changes nothing. */
const tabled = (work: (args: Work<SchedulerEvent>) => void) =>
  base.enqueueActions(({ context, event, enqueue, self }) => {
    const { tables, settings, now } = context;
    const ledger = draftOf(tables, now);
    const out = new ChartOutlet(enqueue, settings, self);
    work({ event, ledger, settings, out });
    const after = finished(ledger, out);
    out.readAhead(tables, after);
    enqueue.assign({ tables: after });
  });

/** The same for one type of event. */
const noted = <Type extends SchedulerEvent['type']>(type: Type, work: (args: Work<EventOf<Type>>) => void) =>
  tabled(({ event, ...rest }) => {
    if (isOfType(event, type)) work({ event, ...rest });
  });

const isOfType = <Type extends SchedulerEvent['type']>(
  event: SchedulerEvent,
  type: Type,
): event is EventOf<Type> => event.type === type;

type Enqueue = Parameters<Parameters<typeof base.enqueueActions>[0]>[0];

/** Reaches the world through the actions that a transition enqueues. */
class ChartOutlet implements Outlet {
  readonly #enqueue: Enqueue['enqueue'];
  readonly #settings: SchedulerSettings;
  readonly #self: Enqueue['self'];

  constructor(enqueue: Enqueue['enqueue'], settings: SchedulerSettings, self: Enqueue['self']) {
    this.#enqueue = enqueue;
    this.#settings = settings;
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

  spawn(
    runnerId: RunnerId,
    spec: ModelSpec,
    reservation: Reservation,
    laggingDevices: readonly string[],
  ): void {
    const { keepAliveMode, runner: limits } = this.#settings;
    const { keepAlive } = spec;
    this.#enqueue.spawnChild('runner', {
      id: runnerId,
      input: {
        runnerId,
        spec,
        reservation,
        laggingDevices,
        keepAlive,
        keepAliveMode,
        limits: { ...limits, ...spec.limits },
        supervisor: this.#self,
      },
    });
  }

  /** While others make room for a model its file is read. */
  readAhead({ claims: before }: Tables, { claims: after }: Tables): void {
    if (before === after) return;
    for (const id of ended(before, after)) this.#enqueue.stopChild(id);
    if (!this.#settings.readsAhead) return;
    for (const { id, spec } of begun(before, after))
      this.#enqueue.spawnChild('readAhead', { id, input: spec });
  }

  wakeIn(delayMs: number): void {
    this.#enqueue.cancel('wake');
    // Rounded up: a timer knows whole ms only, and one that fires too early has to be armed once more.
    const delay = Math.ceil(delayMs);
    if (delay !== Infinity) this.#enqueue.raise({ type: 'plan.wake' }, { id: 'wake', delay });
  }
}

export const schedulerSetup = base.extend({
  actions: {
    plan: base.enqueueActions(({ context, enqueue, self }) => {
      const { tables, settings, now } = context;
      const ledger = draftOf(tables, now);
      const out = new ChartOutlet(enqueue, settings, self);
      steps.carryOutPlan(ledger, settings, out);
      const planned = finished(ledger, out);
      out.readAhead(tables, planned);
      enqueue.assign({ tables: planned, planned });
    }),
    /** The timer has fired: if that was too early, the new plan arms it again. */
    wake: noted('plan.wake', ({ ledger }) => ledger.arm(Infinity)),
    preloadModels: base.enqueueActions(({ context, enqueue, self }) => {
      const { tables, settings, now } = context;
      const ledger = draftOf(tables, now);
      for (const spec of context.preload) steps.preload(ledger, spec);
      enqueue.assign({ tables: finished(ledger, new ChartOutlet(enqueue, settings, self)) });
    }),
    takeRequest: noted('request.submitted', ({ event, ledger, settings, out }) =>
      steps.takeRequest(ledger, settings, event.request, out),
    ),
    refuseRequest: noted('request.submitted', ({ event, ledger, out }) =>
      steps.refuse(ledger, [event.request], commands.shuttingDown, out),
    ),
    withdrawRequest: noted('request.withdrawn', ({ event, ledger }) => void ledger.withdraw(event.leaseId)),
    putBackRequest: noted('request.returned', ({ event, ledger }) =>
      ledger.putBack(event.waiting, event.runnerId),
    ),
    refuseReturned: noted('request.returned', ({ event, ledger, out }) =>
      steps.refuse(ledger, [event.waiting], commands.shuttingDown, out),
    ),
    noteUses: noted('doors.used', ({ event, ledger }) => ledger.noteUses(event.uses)),
    readDevices: noted('devices.read', ({ event, ledger }) => {
      ledger.read(event.readings);
      steps.bringBackPinned(ledger);
    }),
    loadModel: noted('model.load', ({ event, ledger }) => steps.preload(ledger, event.spec)),
    unloadModel: noted('model.unload', ({ event, ledger, out }) => commands.unloadModel(ledger, event, out)),
    pauseDevices: noted('devices.pause', ({ event, ledger, out }) => pauses.pauseDevices(ledger, event, out)),
    resumeDevices: noted('devices.resume', ({ event, ledger }) => pauses.resumeDevices(ledger, event)),
    stopRunner: noted('runner.stop', ({ event, ledger, out }) => commands.stopRunner(ledger, event, out)),
    keepModel: noted('model.keep', ({ event, ledger, out }) => commands.keepModel(ledger, event, out)),
    applyConfig: noted('config.changed', ({ event, ledger, settings, out }) =>
      reconfigure.apply(ledger, settings, event.change, out),
    ),
    rememberSettings: base.assign(({ event }) =>
      event.type === 'config.changed' ? { settings: event.change.settings } : {},
    ),
    drainAll: noted('scheduler.drain', ({ event, ledger, out }) => commands.drainAll(ledger, event, out)),
    stopAll: noted('scheduler.hurry', ({ ledger, out }) => commands.stopAll(ledger, out)),
    noteMoved: noted('runner.moved', ({ event, ledger, out }) => reports.noteMoved(ledger, event, out)),
    noteLoaded: noted('runner.loaded', ({ event, ledger, out }) => reports.noteLoaded(ledger, event, out)),
    noteMeasured: noted('runner.measured', ({ event, ledger, settings, out }) =>
      reports.noteMeasured(ledger, event, settings, out),
    ),
    noteOverstayed: noted('runner.overstayed', ({ event, ledger }) => reports.noteOverstayed(ledger, event)),
    noteStarted: noted('runner.started', ({ event, ledger, out }) => reports.noteStarted(ledger, event, out)),
    noteProgress: noted('runner.progress', ({ event, ledger, out }) =>
      reports.noteProgress(ledger, event, out),
    ),
    noteStuck: noted('runner.stuck', ({ event, ledger, out }) => reports.noteTrouble(ledger, event, out)),
    noteUnrecovered: noted('runner.unrecovered', ({ event, ledger, out }) =>
      reports.noteTrouble(ledger, event, out),
    ),
    finalizeRunner: tabled(({ event, ledger, out }) => {
      const outcome = outcomeOf(event);
      if (outcome !== null) steps.finalize(ledger, outcome, out);
    }),
    finalizeBroken: tabled(({ event, ledger, out }) => {
      const broken = errorOf(event);
      if (broken !== null) steps.finalizeBroken(ledger, broken.actorId, broken.error, out);
    }),
  },
});
