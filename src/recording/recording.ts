import type { Doors } from '../../actors/doors.ts';
import type { FailureCode } from '../../machines/failures.ts';
import type { SavedDemand } from '../../machines/planning/habits.ts';
import type {
  DecisionRecord,
  Request,
  SchedulerCommand,
  SchedulerSettings,
} from '../../machines/scheduler/contract.ts';
import type { DeviceView } from '../../machines/planning/view.ts';
import { sumBytes, type LeaseId, type ModelSpec, type RunnerId } from '../../machines/vocabulary.ts';
import { ledgerOf, type Scheduler } from '../ledger-of.ts';

/** More requests than this are not kept: what came after them is left out, and the recording says so. */
const MAX_REQUESTS = 5_000;

/** One request as it really went. Times in ms since the recording began. */
export interface RecordedRequest {
  readonly id: LeaseId;
  readonly spec: ModelSpec;
  readonly atMs: number;
  readonly request: Request;
  grantedAtMs: number | null;
  endedAtMs: number | null;
  /** Whether its client left before it was served to its end. */
  isCancelled: boolean;
}

/** One runner's life as it really went. */
export interface RecordedRunner {
  readonly id: RunnerId;
  readonly model: string;
  readonly startedAtMs: number;
  readyAtMs: number | null;
  unloadingAtMs: number | null;
  exitedAtMs: number | null;
  goneAtMs: number | null;
  /** What it was measured to hold in all; null when nothing was measured. */
  measuredBytes: number | null;
  /** How its load or its process failed by itself. */
  failure: FailureCode | null;
}

/** What people do to a service; requests are recorded by themselves. */
type RecordedCommandType = Extract<
  SchedulerCommand,
  {
    type:
      | 'model.load'
      | 'model.unload'
      | 'model.keep'
      | 'runner.stop'
      | 'config.changed'
      | 'devices.pause'
      | 'devices.resume'
      | 'scheduler.drain'
      | 'scheduler.hurry';
  }
>;

export interface RecordedCommand {
  readonly atMs: number;
  readonly command: RecordedCommandType;
}

/** All that a scenario needs to play a live session again. */
export interface Recording {
  readonly settings: SchedulerSettings;
  readonly devices: readonly DeviceView[];
  readonly demand: Readonly<Record<string, SavedDemand>>;
  readonly preload: readonly string[];
  readonly specs: ReadonlyMap<string, ModelSpec>;
  readonly requests: readonly RecordedRequest[];
  readonly runners: readonly RecordedRunner[];
  readonly commands: readonly RecordedCommand[];
  readonly decisions: readonly DecisionRecord[];
  readonly isCut: boolean;
}

interface Beginning {
  readonly settings: SchedulerSettings;
  readonly demand: Readonly<Record<string, SavedDemand>>;
  readonly preload: readonly ModelSpec[];
}

/** Takes down what a live scheduler is asked, how long its runners really take, and what it decides. Bounded. */
export class Recorder {
  readonly #scheduler: Scheduler;
  readonly #beginning: Beginning;
  readonly #startedAtMs: number;
  #devices: readonly DeviceView[] = [];
  readonly #specs = new Map<string, ModelSpec>();
  readonly #requests = new Map<LeaseId, RecordedRequest>();
  readonly #runners = new Map<RunnerId, RecordedRunner>();
  readonly #commands: RecordedCommand[] = [];
  readonly #decisions: DecisionRecord[] = [];
  #isCut = false;

  constructor(scheduler: Scheduler, doors: Doors, beginning: Beginning) {
    this.#scheduler = scheduler;
    this.#beginning = beginning;
    this.#startedAtMs = this.#ledger.now();
    for (const spec of beginning.preload) this.#specs.set(spec.name, spec);
    doors.on('asked', (request) => this.#asked(request));
    doors.on('granted', ({ leaseId }) => {
      const request = this.#requests.get(leaseId);
      if (request) request.grantedAtMs ??= this.#nowMs;
    });
    doors.on('ended', ({ leaseId, isCancelled }) => this.#ended(leaseId, isCancelled));
    doors.on('refused', ({ leaseId, failure }) => this.#failed(leaseId, failure.code));
    doors.on('lost', ({ leaseId, failure }) => this.#failed(leaseId, failure.code));
    scheduler.on('runner.changed', ({ runnerId }) => this.#look(runnerId));
    scheduler.on('decision', ({ record }) => {
      if (!this.#isCut) this.#decisions.push(record);
      if (record.kind === 'load' && record.runnerId) this.#look(record.runnerId);
    });
  }

  /** A command that somebody outside has sent, before the scheduler sees it. */
  heard(command: SchedulerCommand): void {
    if (this.#isCut) return;
    const atMs = this.#nowMs;
    switch (command.type) {
      // What the scheduler hears of requests and devices is no command of anybody.
      case 'request.submitted':
      case 'request.withdrawn':
      case 'request.returned':
      case 'doors.used':
      case 'devices.read':
        return;
      case 'model.load':
        if (!this.#specs.has(command.spec.name)) this.#specs.set(command.spec.name, command.spec);
        this.#commands.push({ atMs, command });
        break;
      case 'config.changed':
        // One that is to be loaded as soon as it is there must not be loaded before.
        for (const spec of command.change.changed)
          if (!this.#specs.has(spec.name)) this.#specs.set(spec.name, { ...spec, pinned: false });
        this.#commands.push({ atMs, command });
        break;
      case 'model.unload':
      case 'model.keep':
      case 'runner.stop':
      case 'devices.pause':
      case 'devices.resume':
      case 'scheduler.drain':
      case 'scheduler.hurry':
        this.#commands.push({ atMs, command });
    }
  }

  #asked(request: Request): void {
    const { leaseId, spec } = request;
    this.#isCut ||= this.#requests.size >= MAX_REQUESTS;
    if (this.#isCut) return;
    if (!this.#specs.has(spec.name)) this.#specs.set(spec.name, spec);
    this.#requests.set(leaseId, {
      id: leaseId,
      spec,
      atMs: this.#nowMs,
      request,
      grantedAtMs: null,
      endedAtMs: null,
      isCancelled: false,
    });
  }

  /** What has been taken down until now. */
  get recording(): Recording {
    const { settings, demand, preload } = this.#beginning;
    return {
      settings,
      demand,
      preload: preload.map(({ name }) => name),
      devices: this.#devices,
      specs: this.#specs,
      requests: [...this.#requests.values()],
      runners: [...this.#runners.values()],
      commands: this.#commands,
      decisions: this.#decisions,
      isCut: this.#isCut,
    };
  }

  get #ledger() {
    return ledgerOf(this.#scheduler);
  }

  get #nowMs(): number {
    return this.#ledger.now() - this.#startedAtMs;
  }

  #ended(leaseId: LeaseId, isCancelled: boolean): void {
    const request = this.#requests.get(leaseId);
    if (!request || request.endedAtMs !== null) return;
    request.endedAtMs = this.#nowMs;
    request.isCancelled = isCancelled;
  }

  /** A runner that failed under a lease, or in the load that a request waited for. */
  #failed(leaseId: LeaseId, code: FailureCode): void {
    const request = this.#requests.get(leaseId);
    if (!request) return;
    request.endedAtMs ??= this.#nowMs;
    for (const runner of this.#runners.values())
      if (runner.model === request.spec.name && runner.goneAtMs === null) runner.failure ??= code;
  }

  #look(runnerId: RunnerId): void {
    const row = this.#ledger.runners.get(runnerId);
    const known = this.#runners.get(runnerId);
    const nowMs = this.#nowMs;
    if (!row) {
      if (known) known.goneAtMs ??= nowMs;
      return;
    }
    if (this.#devices.length === 0)
      this.#devices = [...this.#ledger.devices.values()].map((device) => ({ ...device }));
    const runner = known ?? newRunner(runnerId, row.spec.name, row.startedAtMs - this.#startedAtMs);
    if (!known) this.#runners.set(runnerId, runner);
    if (row.readyAtMs !== null) runner.readyAtMs ??= row.readyAtMs - this.#startedAtMs;
    if (row.state === 'unloading') runner.unloadingAtMs ??= nowMs;
    if (row.state === 'vram-recovering') runner.exitedAtMs ??= nowMs;
    if (row.state === 'gone' || row.state === 'failed') runner.goneAtMs ??= nowMs;
    const reservedBytes = sumBytes(row.reservation);
    if (row.readyAtMs !== null && row.spec.needSource !== 'configured') runner.measuredBytes = reservedBytes;
  }
}

const newRunner = (id: RunnerId, model: string, startedAtMs: number): RecordedRunner => ({
  id,
  model,
  startedAtMs,
  readyAtMs: null,
  unloadingAtMs: null,
  exitedAtMs: null,
  goneAtMs: null,
  measuredBytes: null,
  failure: null,
});
