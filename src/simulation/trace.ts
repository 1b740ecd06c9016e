import type { SchedulerSettings } from '../../machines/scheduler/contract.ts';
import type { KeepAlive, ModelSpec, RunnerId } from '../../machines/vocabulary.ts';
import { createScheduler } from '../compose.ts';
import { simulatedEffects } from './effects.ts';
import { World } from './world.ts';
import { ledgerOf } from '../ledger-of.ts';

/** How long a device takes to show memory as free, after a process has gone; seen: 0.5–1.5 s. */
const RECOVERY_MS = 1_000;

/** Nobody is refused, since waits are what is compared; and where no other program takes memory, few readings suffice. */
const TRACE_SETTINGS = { maxQueue: Infinity, probeIntervalMs: 60_000 };

/** Nobody looks at the scheduler before somebody has to wait. */
const TELL_WITHIN_MS = 60_000;

/** Who is not served so long after the last request is counted as not served. */
const LONGEST_ENDING_MS = 86_400_000;
/** Of a model that goes to the GPUs in part; 70B models have about as many. */
const OFFLOADED_LAYERS = 80;

/** One request of a trace. */
export interface TraceRequest {
  readonly atMs: number;
  readonly model: string;
  readonly promptTokens: number;
  readonly outputTokens: number;
}

/** A model as a trace's own file describes it. */
export interface TraceModel {
  readonly name: string;
  readonly sizeBytes: number;
  readonly loadMs: number;
  readonly slots: number;
  readonly prefillTokensPerSecond: number;
  readonly decodeTokensPerSecond: number;
}

export interface Trace {
  readonly gpusBytes: readonly number[];
  readonly models: readonly TraceModel[];
  readonly requests: readonly TraceRequest[];
}

/**
 * What a policy made of a trace. Times in seconds; the names are stable. A wait is the time from a request's arrival until the
 * runner that serves it is ready. How long it then stands in line for one of that runner's slots is told apart: that is the
 * model's own affair, and no policy of loading and evicting can shorten it.
 */
export interface TraceResult {
  readonly policy: string;
  readonly requests: number;
  readonly served: number;
  readonly loadSeconds: number;
  readonly loads: number;
  readonly evictions: number;
  readonly meanWaitSeconds: number;
  readonly p50WaitSeconds: number;
  readonly p95WaitSeconds: number;
  readonly p99WaitSeconds: number;
  readonly maxWaitSeconds: number;
  readonly meanSlotWaitSeconds: number;
  /** How long models were in memory and served nobody, all runners together. */
  readonly idleSeconds: number;
}

export interface TraceOptions {
  readonly settings: SchedulerSettings;
  readonly keepAlive: KeepAlive;
}

/** Runs a trace through the real statecharts in virtual time. */
export function runTrace(trace: Trace, { settings, keepAlive }: TraceOptions): TraceResult {
  const world = worldOf(trace);
  const { clock } = world;
  const specs = new Map(
    trace.models.map((model, rank) => [
      model.name,
      { ...specOf(model, keepAlive, isTooLarge(model, trace)), rank },
    ]),
  );
  const models = new Map(trace.models.map((model) => [model.name, model]));
  const { scheduler, doors } = createScheduler(simulatedEffects(world), {
    clock,
    tellWithinMs: TELL_WITHIN_MS,
    input: { settings: { ...settings, ...TRACE_SETTINGS }, now: clock.now, preload: [] },
  });
  const waits: number[] = [];
  const counts = { loads: 0, evictions: 0, loadMs: 0, slotWaitMs: 0 };
  const idle = new IdleTime(clock.now);
  scheduler.on('decision', ({ record: { kind, runnerId } }) => {
    if (runnerId && kind === 'loaded') idle.begin(runnerId);
    if (runnerId && kind === 'unload') idle.end(runnerId);
    if (kind === 'load') counts.loads++;
    if (kind === 'evict') counts.evictions++;
  });
  scheduler.on('model.learned', ({ loadMs }) => (counts.loadMs += loadMs ?? 0));
  doors.on('granted', ({ leaseId, runnerId, waitMs }) => {
    const request = trace.requests[Number(leaseId)];
    const model = request && models.get(request.model);
    if (!model) return;
    const readyAtMs = ledgerOf(scheduler).runners.get(runnerId)?.readyAtMs ?? 0;
    const coldMs = Math.max(0, readyAtMs - request.atMs);
    waits.push(coldMs / 1000);
    counts.slotWaitMs += waitMs - coldMs;
    idle.take(runnerId);
    const runMs = serviceMs(request, model);
    clock.setTimeout(() => {
      idle.giveBack(runnerId);
      doors.release(leaseId);
    }, runMs);
  });
  scheduler.start();
  trace.requests.forEach((request, index) => {
    const spec = specs.get(request.model);
    if (!spec) return;
    clock.advanceTo(request.atMs);
    doors.request({
      leaseId: String(index),
      spec,
      priority: 'normal',
      keepAlive: null,
      waitLimitMs: Infinity,
      isRetry: false,
    });
  });
  const settle = (): boolean => doors.counts.waiting + doors.counts.held === 0;
  const endMs = clock.now() + LONGEST_ENDING_MS;
  while (!settle() && clock.step(endMs));
  scheduler.stop();
  const { length: requests } = trace.requests;
  return {
    policy: settings.plan.policy,
    requests,
    ...measuresOf(waits, counts),
    idleSeconds: idle.totalMs / 1000,
  };
}

/** Adds up how long runners are loaded without a lease. */
class IdleTime {
  totalMs = 0;
  readonly #now: () => number;
  readonly #runners = new Map<RunnerId, { leases: number; sinceMs: number }>();

  constructor(now: () => number) {
    this.#now = now;
  }

  begin(runnerId: RunnerId): void {
    this.#runners.set(runnerId, { leases: 0, sinceMs: this.#now() });
  }

  take(runnerId: RunnerId): void {
    const runner = this.#runners.get(runnerId);
    if (runner && runner.leases++ === 0) this.totalMs += this.#now() - runner.sinceMs;
  }

  giveBack(runnerId: RunnerId): void {
    const runner = this.#runners.get(runnerId);
    if (runner && --runner.leases === 0) runner.sinceMs = this.#now();
  }

  end(runnerId: RunnerId): void {
    const runner = this.#runners.get(runnerId);
    if (runner?.leases === 0) this.totalMs += this.#now() - runner.sinceMs;
    this.#runners.delete(runnerId);
  }
}

function measuresOf(
  waits: number[],
  counts: { loads: number; evictions: number; loadMs: number; slotWaitMs: number },
): Omit<TraceResult, 'policy' | 'requests' | 'idleSeconds'> {
  waits.sort((a, b) => a - b);
  const at = (share: number): number =>
    waits[Math.min(waits.length - 1, Math.floor(share * waits.length))] ?? 0;
  return {
    served: waits.length,
    loadSeconds: counts.loadMs / 1000,
    loads: counts.loads,
    evictions: counts.evictions,
    meanWaitSeconds: waits.reduce((sum, wait) => sum + wait, 0) / Math.max(1, waits.length),
    p50WaitSeconds: at(0.5),
    p95WaitSeconds: at(0.95),
    p99WaitSeconds: at(0.99),
    maxWaitSeconds: at(1),
    meanSlotWaitSeconds: counts.slotWaitMs / 1000 / Math.max(1, waits.length),
  };
}

/** What all GPUs together cannot hold is offloaded in part; its rates are those of a model that is. */
const isTooLarge = ({ sizeBytes }: TraceModel, { gpusBytes }: Trace): boolean =>
  sizeBytes > gpusBytes.reduce((sum, bytes) => sum + bytes, 0);

const serviceMs = (request: TraceRequest, model: TraceModel): number =>
  1000 *
  (request.promptTokens / model.prefillTokensPerSecond + request.outputTokens / model.decodeTokensPerSecond);

function worldOf(trace: Trace): World {
  const world = new World();
  trace.gpusBytes.forEach((totalBytes, i) => {
    const reading = {
      id: `CUDA${i}`,
      name: `GPU ${i}`,
      library: 'CUDA',
      kind: 'discrete' as const,
      totalBytes,
    };
    world.devices.set(reading.id, { reading, othersBytes: 0, recoveryMs: RECOVERY_MS, fault: 'none' });
  });
  if (trace.models.some((model) => isTooLarge(model, trace))) {
    const totalBytes = trace.models.reduce((sum, model) => sum + model.sizeBytes, 0);
    const reading = { id: 'CPU', name: 'main memory', library: 'CPU', kind: 'cpu' as const, totalBytes };
    world.devices.set(reading.id, { reading, othersBytes: 0, recoveryMs: 0, fault: 'none' });
  }
  for (const { name, loadMs } of trace.models)
    world.models.set(name, { loadMs, exitMs: 0, realBytes: null, fault: null });
  return world;
}

/** A trace's model as the scheduler takes it. */
export const specOf = (model: TraceModel, keepAlive: KeepAlive, isOffloaded = false): ModelSpec => ({
  name: model.name,
  classKey: model.name,
  launch: {
    runtime: 'llama-server',
    modelPath: `${model.name}.gguf`,
    adapterPaths: [],
    contextTokens: 4096,
    slots: model.slots,
    embedding: false,
    extraArgs: [],
    ...(isOffloaded && { layers: OFFLOADED_LAYERS }),
  },
  needBytes: model.sizeBytes,
  needSource: 'configured',
  keepAlive,
  pinned: false,
  devices: null,
  placement: isOffloaded ? 'gpu-or-cpu' : 'gpu-only',
  // Before the first load nothing is known but the size: 1.5 s and 2.5 GB/s (docs/policy.md).
  loadEstimateMs: 1_500 + (model.sizeBytes / 2.5e9) * 1000,
  maxQueue: Infinity,
});
