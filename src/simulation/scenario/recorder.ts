import type { Doors } from '../../../actors/doors.ts';
import { explainWait } from '../../../machines/planning/explain.ts';
import { isServing } from '../../../machines/planning/sharing.ts';
import type { RunnerState } from '../../../machines/runner/contract.ts';
import type { DecisionRecord } from '../../../machines/scheduler/contract.ts';
import type { LedgerReader } from '../../../machines/scheduler/ledger-reader.ts';
import type { Scheduler } from '../../ledger-of.ts';
import type { World } from '../world.ts';
import type {
  DeviceResult,
  Outcome,
  QueueSample,
  RequestResult,
  RunnerResult,
  SimulationEvent,
} from './result.ts';

/** What there was to see at one time. */
export interface Sight {
  readonly atMs: number;
  readonly loaded: readonly string[];
  /** By model; one that is not there has no runner. */
  readonly states: Readonly<Record<string, RunnerState>>;
  readonly waiting: number;
  readonly processes: number;
  readonly reserved: Readonly<Record<string, number>>;
  readonly held: Readonly<Record<string, number>>;
  /** Why each waiting request waits. */
  readonly why: Readonly<Record<string, string>>;
}

/** Something that must never be, whatever the scenario says. */
export interface Breach {
  readonly atMs: number;
  readonly rule: string;
  readonly message: string;
}

/** Watches the charts and the modelled world, and keeps what a person would ask for afterwards. */
export class Recorder {
  readonly requests = new Map<string, RequestResult>();
  readonly runners = new Map<string, RunnerResult>();
  readonly devices = new Map<string, DeviceResult>();
  readonly queue: QueueSample[] = [];
  readonly decisions: DecisionRecord[] = [];
  readonly events: SimulationEvent[] = [];
  readonly breaches: Breach[] = [];
  /** The most processes that each model had at a time, and when first. */
  readonly mostProcesses = new Map<string, { count: number; atMs: number }>();
  loadMs = 0;
  /** Processes of each model when last looked at. */
  #counts: ReadonlyMap<string, number> = new Map();
  #isFinished = false;
  readonly #world: World;
  readonly #ask: () => LedgerReader;
  /** Memory may exceed what there is when the scenario itself sees to that. */
  readonly #memoryIsHonest: boolean;

  constructor(world: World, ledger: () => LedgerReader, memoryIsHonest: boolean) {
    this.#world = world;
    this.#ask = ledger;
    this.#memoryIsHonest = memoryIsHonest;
  }

  get #ledger(): LedgerReader {
    return this.#ask();
  }

  get #nowMs(): number {
    return this.#world.clock.now();
  }

  note(type: string, fields: Record<string, unknown> = {}): void {
    this.events.push({ atMs: this.#nowMs, type, ...fields });
  }

  submitted(id: string, model: string): void {
    this.note('request.submitted', { request: id, model });
    this.requests.set(id, {
      id,
      model,
      submittedAtMs: this.#nowMs,
      grantedAtMs: null,
      endedAtMs: null,
      runnerId: null,
      loadMs: 0,
      outcome: 'waiting',
      failure: null,
      answers: 0,
    });
  }

  ended(id: string, outcome: Outcome): void {
    const request = this.requests.get(id);
    // With the end of the run everything ends; what still went on then is no outcome.
    if (!request || request.endedAtMs !== null || this.#isFinished) return;
    request.endedAtMs = this.#nowMs;
    request.outcome = outcome;
    this.note(`request.${outcome}`, { request: id });
  }

  /** Takes in what is decided, and what becomes of requests. */
  listen(scheduler: Scheduler, doors: Doors): void {
    scheduler.on('decision', ({ record }) => {
      this.decisions.push(record);
      this.note('decision', { ...record });
    });
    scheduler.on('model.learned', ({ loadMs }) => (this.loadMs += loadMs ?? 0));
    doors.on('granted', ({ leaseId, runnerId, waitMs, loadMs }) => {
      this.note('request.granted', { request: leaseId, runnerId, waitMs });
      this.#answer(leaseId, { grantedAtMs: this.#nowMs, runnerId, loadMs, outcome: 'running' });
    });
    doors.on('refused', ({ leaseId, failure }) => {
      this.#answer(leaseId, { failure });
      this.ended(leaseId, 'refused');
    });
    doors.on('lost', ({ leaseId, failure }) => {
      const request = this.requests.get(leaseId);
      if (request && request.endedAtMs === null) request.failure = failure;
      this.ended(leaseId, 'lost');
    });
  }

  /** Looks at everything once; called after each instant's events. */
  look(): void {
    this.#lookAtRunners();
    this.#lookAtDevices();
    const waiting = this.#ledger.waitingCount;
    if (this.queue.at(-1)?.waiting !== waiting) {
      this.queue.push({ atMs: this.#nowMs, waiting });
      this.note('queue', { waiting });
    }
    this.#checkProcesses();
  }

  /** The last states end where the run ends. */
  finish(): void {
    this.look();
    this.#isFinished = true;
    for (const { spans } of this.runners.values()) {
      const last = spans.at(-1);
      if (last && last.state !== 'gone') last.toMs = this.#nowMs;
    }
  }

  sight(): Sight {
    const ledger = this.#ledger;
    const runners = [...ledger.runners.values()];
    const loaded = runners.filter(isServing).map((runner) => runner.spec.name);
    const why: Record<string, string> = {};
    for (const { leaseId, spec } of ledger.allWaiting()) {
      const queue = ledger.queues.get(spec.classKey);
      if (queue) why[leaseId] = explainWait(queue, ledger, ledger.waits);
    }
    const devices = [...ledger.devices.values()];
    return {
      atMs: this.#nowMs,
      loaded: [...new Set(loaded)],
      states: Object.fromEntries(runners.map((runner) => [runner.spec.name, runner.state])),
      waiting: ledger.waitingCount,
      processes: this.#world.processes.size,
      reserved: Object.fromEntries(devices.map(({ id, reservedBytes }) => [id, reservedBytes])),
      held: Object.fromEntries([...this.#world.devices.keys()].map((id) => [id, this.#world.heldOn(id)])),
      why,
    };
  }

  #answer(id: string, what: Partial<RequestResult>): void {
    const request = this.requests.get(id);
    if (!request) return;
    Object.assign(request, what);
    if (++request.answers > 1) this.#breach('one answer', `${id} got ${request.answers} answers`);
  }

  #lookAtRunners(): void {
    const { runners } = this.#ledger;
    const nowMs = this.#nowMs;
    for (const row of runners.values()) {
      const { id, spec, state, reservation, leases } = row;
      let runner = this.runners.get(id);
      if (!runner) this.runners.set(id, (runner = { id, model: spec.name, reservation, spans: [] }));
      runner.reservation = reservation;
      const last = runner.spans.at(-1);
      if (last?.state === state && last.leases === leases) continue;
      if (last) last.toMs = nowMs;
      runner.spans.push({ state, leases: leases, fromMs: nowMs, toMs: nowMs });
      if (last?.state !== state) this.note('runner', { runnerId: id, model: spec.name, state });
      if (leases > 0 && state !== 'ready' && state !== 'expiring')
        this.#breach('leases', `${id} (${spec.name}) has ${leases} leases and is ${state}`);
    }
    for (const runner of this.runners.values()) {
      const last = runner.spans.at(-1);
      if (!last || last.state === 'gone' || runners.has(runner.id)) continue;
      last.toMs = nowMs;
      runner.spans.push({ state: 'gone', leases: 0, fromMs: nowMs, toMs: nowMs });
      this.note('runner', { runnerId: runner.id, model: runner.model, state: 'gone' });
    }
  }

  #lookAtDevices(): void {
    const { devices } = this.#ledger;
    for (const [id, modelled] of this.#world.devices) {
      const row = devices.get(id);
      const { totalBytes } = modelled.reading;
      const limitBytes = row?.limitBytes ?? totalBytes;
      let device = this.devices.get(id);
      if (!device) this.devices.set(id, (device = { id, totalBytes, limitBytes, samples: [] }));
      // Known since the scheduler has read it, and may change with the configuration.
      if (row) Object.assign(device, { limitBytes });
      const reservedBytes = row?.reservedBytes ?? 0;
      const heldBytes = this.#world.heldOn(id);
      const { othersBytes } = modelled;
      const last = device.samples.at(-1);
      const isSame =
        last?.reservedBytes === reservedBytes &&
        last.heldBytes === heldBytes &&
        last.othersBytes === othersBytes;
      if (isSame) continue;
      device.samples.push({ atMs: this.#nowMs, reservedBytes, heldBytes, othersBytes });
      this.note('memory', { device: id, reservedBytes, heldBytes, othersBytes });
      if (!this.#memoryIsHonest) continue;
      if (reservedBytes > Math.min(limitBytes, totalBytes) + 1)
        this.#breach('reserved', `${id}: ${reservedBytes} bytes are promised, ${limitBytes} is the limit`);
      if (heldBytes + othersBytes > totalBytes + 1)
        this.#breach('held', `${id}: ${heldBytes + othersBytes} bytes are in use, ${totalBytes} there are`);
    }
  }

  #checkProcesses(): void {
    const counts = new Map<string, number>();
    for (const { spec } of this.#world.processes.values()) {
      counts.set(spec.modelName, (counts.get(spec.modelName) ?? 0) + 1);
      if (!this.#ledger.runners.has(spec.runnerId))
        this.#breach('processes', `the process of ${spec.runnerId} (${spec.modelName}) has no runner`);
    }
    for (const [model, count] of counts)
      if (count > (this.mostProcesses.get(model)?.count ?? 0))
        this.mostProcesses.set(model, { count, atMs: this.#nowMs });
    this.#checkLimits(counts);
  }

  /** A limit that is lowered ends no process by itself: only one more than before is one too many. */
  #checkLimits(counts: ReadonlyMap<string, number>): void {
    const { maxRunners } = this.#ledger.settings;
    const sum = (some: ReadonlyMap<string, number>): number => [...some.values()].reduce((a, b) => a + b, 0);
    const all = sum(counts);
    if (maxRunners !== null && all > maxRunners && all > sum(this.#counts))
      this.#breach('runners', `${all} processes, at most ${maxRunners} runners are allowed`);
    for (const { spec } of this.#ledger.runners.values()) {
      const count = counts.get(spec.name) ?? 0;
      const most = spec.replicas ?? 1;
      if (count > most && count > (this.#counts.get(spec.name) ?? 0))
        this.#breach('processes', `${spec.name} has ${count} processes at a time, ${most} may be`);
    }
    this.#counts = counts;
  }

  #breach(rule: string, message: string): void {
    if (!this.breaches.some((one) => one.rule === rule && one.message === message))
      this.breaches.push({ atMs: this.#nowMs, rule, message });
  }
}
