import type { Failure } from '../../machines/failures.ts';
import type { Doors } from '../../actors/doors.ts';
import type { SavedDemand } from '../../machines/planning/habits.ts';
import type { DecisionRecord, Request, SchedulerSettings } from '../../machines/scheduler/contract.ts';
import type { DeviceReading, ModelSpec } from '../../machines/vocabulary.ts';
import { createScheduler } from '../../src/compose.ts';
import { simulatedEffects } from '../../src/simulation/effects.ts';
import { World } from '../../src/simulation/world.ts';
import { UnsteadyClock, type Unsteadiness } from './unsteady-clock.ts';
import { ledgerOf, type Scheduler } from '../../src/ledger-of.ts';

export const GIB = 1024 ** 3;

/** A model that needs `gib`, with whatever differs. */
export function aModel(
  name: string,
  gib: number,
  over: Partial<ModelSpec> & { context?: number } = {},
): ModelSpec {
  const { context = 4096, ...rest } = over;
  return {
    name,
    classKey: `${name}@${context}`,
    launch: {
      runtime: 'llama-server',
      modelPath: `/models/${name}.gguf`,
      adapterPaths: [],
      contextTokens: context,
      slots: 1,
      embedding: false,
      extraArgs: [],
    },
    needBytes: gib * GIB,
    needSource: 'configured',
    keepAlive: 300_000,
    pinned: false,
    devices: null,
    placement: 'gpu-or-cpu',
    loadEstimateMs: 5_000,
    maxQueue: 512,
    ...rest,
  };
}

export const aGpu = (
  id: string,
  gib: number,
  over: Partial<DeviceReading> = {},
): Omit<DeviceReading, 'freeBytes'> => ({
  id,
  name: `Simulated ${id}`,
  library: 'CUDA',
  kind: 'discrete',
  totalBytes: gib * GIB,
  ...over,
});

export const settings = (over: Partial<SchedulerSettings> = {}): SchedulerSettings => ({
  plan: {
    policy: 'default',
    gamma: 0.4,
    starvationMs: Infinity,
    drainMs: Infinity,
    maxRunners: null,
    abandonedLoads: 'keep',
    eviction: 'automatic',
    gpuOverheadBytes: 0,
  },
  runner: {
    loadStallMs: 300_000,
    loadTotalMs: Infinity,
    terminateGraceMs: 5_000,
    killAlarmMs: 10_000,
    conversationsMs: 5_000,
    probeDeadlineMs: 3_000,
    recoveryPollMs: 250,
    recoveryLimitMs: 5_000,
  },
  keepAliveMode: 'strict',
  maxQueue: 512,
  probeIntervalMs: 5_000,
  readsAhead: true,
  deviceLimits: {},
  ...over,
});

export interface Answer {
  grantedAtMs?: number;
  runnerId?: string;
  failure?: Failure;
  refusedAtMs?: number;
  lost?: Failure;
}

/** The real statecharts on a modelled world: requests go in, and what became of each is kept. */
export class Pool {
  readonly world = new World();
  readonly decisions: DecisionRecord[] = [];
  readonly answers = new Map<string, Answer>();
  readonly scheduler: Scheduler;
  readonly doors: Doors;
  /** The time that the scheduler and its runners go by; the world's own is always right. */
  readonly clock: UnsteadyClock;
  /** How long requests are served that end by themselves. */
  readonly #runMs = new Map<string, number>();
  #seq = 0;

  constructor({
    devices,
    over = {},
    preload = [],
    demand = {},
    unsteadiness = {},
    tellWithinMs = 0,
  }: {
    devices: Omit<DeviceReading, 'freeBytes'>[];
    over?: Partial<SchedulerSettings>;
    preload?: ModelSpec[];
    demand?: Record<string, SavedDemand>;
    unsteadiness?: Unsteadiness;
    tellWithinMs?: number;
  }) {
    for (const reading of devices)
      this.world.devices.set(reading.id, { reading, othersBytes: 0, recoveryMs: 1000, fault: 'none' });
    const { clock } = this.world;
    this.clock = new UnsteadyClock(clock, unsteadiness);
    const { scheduler, doors } = createScheduler(simulatedEffects(this.world), {
      clock: this.clock,
      tellWithinMs,
      input: { settings: settings(over), now: this.clock.now, preload, demand },
    });
    this.scheduler = scheduler;
    this.doors = doors;
    doors.on('granted', ({ leaseId, runnerId }) => {
      Object.assign(this.#answerOf(leaseId), { grantedAtMs: clock.now(), runnerId });
      const runMs = this.#runMs.get(leaseId);
      if (runMs !== undefined) clock.setTimeout(() => doors.release(leaseId), runMs);
    });
    doors.on('refused', ({ leaseId, failure }) =>
      Object.assign(this.#answerOf(leaseId), { failure, refusedAtMs: clock.now() }),
    );
    doors.on('lost', ({ leaseId, failure }) => Object.assign(this.#answerOf(leaseId), { lost: failure }));
    this.scheduler.on('decision', ({ record }) => this.decisions.push(record));
    this.scheduler.start();
  }

  get ledger() {
    return ledgerOf(this.scheduler);
  }

  /** Submits a request at the present moment; its answer fills itself in. With `runMs` it ends by itself. */
  request(
    spec: ModelSpec,
    options: Partial<Request> & { runMs?: number } = {},
  ): Answer & { id: string; end: () => void; cancel: () => void } {
    const { runMs, ...over } = options;
    const leaseId = `r${++this.#seq}`;
    const answer = this.#answerOf(leaseId);
    if (runMs !== undefined) this.#runMs.set(leaseId, runMs);
    this.doors.request({
      leaseId,
      spec,
      priority: 'normal',
      keepAlive: null,
      waitLimitMs: Infinity,
      isRetry: false,
      ...over,
    });
    return Object.assign(answer, {
      id: leaseId,
      end: () => this.doors.release(leaseId),
      cancel: () => this.doors.withdraw(leaseId),
    });
  }

  advance(ms: number): void {
    this.world.clock.advance(ms);
  }

  /** `model state` of each runner, in order of their ids. */
  states(): string[] {
    return [...this.ledger.runners.values()].map((runner) => `${runner.spec.name} ${runner.state}`);
  }

  kinds(kind: DecisionRecord['kind']): string[] {
    return this.decisions.filter((record) => record.kind === kind).map((record) => record.model);
  }

  #answerOf(leaseId: string): Answer {
    let answer = this.answers.get(leaseId);
    if (!answer) this.answers.set(leaseId, (answer = {}));
    return answer;
  }
}
