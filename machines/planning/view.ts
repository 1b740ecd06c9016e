import type { DevicePause } from '../device/contract.ts';
import type { Failure } from '../failures.ts';
import type { RunnerState } from '../runner/contract.ts';
import type {
  DeviceId,
  DeviceReading,
  KeepAlive,
  LeaseId,
  ModelSpec,
  Priority,
  Reservation,
  RunnerId,
} from '../vocabulary.ts';
import type { Demand } from './demand.ts';
import type { Rows } from './table.ts';

/** A request that waits for a runner. */
export interface Waiting {
  readonly leaseId: LeaseId;
  readonly spec: ModelSpec;
  readonly arrivedAtMs: number;
  /** Its place in the queue: arrival plus the handicap of its priority. Lower is served first. */
  readonly placeMs: number;
  /** Breaks ties: the order of arrival. */
  readonly seq: number;
  readonly priority: Priority;
  readonly keepAlive: KeepAlive | null;
  readonly deadlineMs: number;
}

/** All that wait for one model class. */
export interface ClassQueue {
  readonly spec: ModelSpec;
  /** By place. */
  readonly order: readonly Waiting[];
  /** By arrival: the first is the one that has waited longest. */
  readonly arrivals: readonly Waiting[];
  readonly sumArrivalMs: number;
}

export interface RunnerView {
  readonly id: RunnerId;
  readonly spec: ModelSpec;
  readonly state: RunnerState;
  readonly reason: string;
  /** What is booked for it. */
  readonly reservation: Reservation;
  /** What was, when it was started. */
  readonly promised: Reservation;
  /** How many requests it is serving. */
  readonly leases: number;
  readonly slots: number;
  readonly pinned: boolean;
  readonly keepAlive: KeepAlive;
  /** The keep-alive has ended and the runner stays only until its memory is wanted (soft mode). */
  readonly overstayed: boolean;
  readonly startedAtMs: number;
  readonly stateSinceMs: number;
  readonly readyAtMs: number | null;
  readonly lastUsedAtMs: number;
  readonly progress: number | null;
  readonly pid: number | null;
}

export interface DeviceView extends DeviceReading {
  /** What Corral may use of it: the configured limit, else all. */
  readonly limitBytes: number;
  /** How many readings in a row have not had it. */
  readonly missedReadings: number;
  /** Held by other programs, as far as readings tell. */
  readonly othersBytes: number;
  /** Sum of all runners' reservations on it. */
  readonly reservedBytes: number;
  /** The part of it that runners which have to go will give back. */
  readonly returningBytes: number;
  /** Sum of all claims on it. */
  readonly claimedBytes: number;
  /** Somebody has taken it for something else (`device.machine.ts`); absent: nobody has. */
  readonly pause?: DevicePause;
}

/** Memory promised to a class whose runner cannot start yet, because others have to give it back first. */
export interface Claim {
  readonly spec: ModelSpec;
  readonly reservation: Reservation;
  /** The runners whose memory it counts on; it can start once they have gone. */
  readonly awaits: readonly RunnerId[];
  readonly sinceMs: number;
}

/** The policies: ours, and for comparison those of Ollama and of llama-swap's FIFO scheduler. */
export const policyNames = ['default', 'ollama', 'fifo'] as const;
export type PolicyName = (typeof policyNames)[number];

export interface PlanSettings {
  readonly policy: PolicyName;
  /** How much waiting justifies how much expected waiting: 0.25 favours latency, 1 throughput. */
  readonly gamma: number;
  /** After this long the head of a queue may evict at any price, and drain busy runners. */
  readonly starvationMs: number;
  /** How long an evicted runner's running leases may go on. */
  readonly drainMs: number;
  /** Most runners at a time; null: as many as fit. */
  readonly maxRunners: number | null;
  /** What becomes of a load when the last client that waited for it has left. */
  readonly abandonedLoads: 'keep' | 'abort';
  /** `manual`: nothing is evicted without a command, and who would need that is refused. */
  readonly eviction: 'automatic' | 'manual';
  /** Added per GPU to a predicted need: the runtime's own context, which no model file tells. */
  readonly gpuOverheadBytes: number;
}

/** What the planner sees: plain tables, read only. */
export interface View {
  readonly settings: PlanSettings;
  readonly devices: ReadonlyMap<DeviceId, DeviceView>;
  readonly runners: Rows<RunnerView>;
  readonly queues: ReadonlyMap<string, ClassQueue>;
  readonly claims: ReadonlyMap<string, Claim>;
  /** Another object whenever what is known of the devices may have changed. */
  readonly inventory: object;
  /** Another object whenever somebody who waits for memory may have come closer to it. */
  readonly supply: object;
  /** Models whose requests or runners changed since the last rest. */
  readonly touched: ReadonlySet<string>;
  /** Its load ran out of memory beside others: the next one has its device to itself. */
  getsDeviceAlone(spec: ModelSpec): boolean;
  runnersOf(model: string): readonly RunnerView[];
  queuesOf(model: string): readonly ClassQueue[];
  demandOf(model: string): Demand;
  readonly pooledDemand: Demand;
  /** How long loading the model again would take, as far as earlier loads tell. */
  reloadSecondsOf(spec: ModelSpec): number;
  /** How many requests are likely to wait for it when it is loaded again; at least one. */
  crowdOf(spec: ModelSpec): number;
  /** How long its answers take; 0 before the first. */
  serviceSecondsOf(spec: ModelSpec): number;
  /** 0…1: how far it has paid to put evictions off for this model's sake (`sparing.ts`). */
  sparingOf(model: string): number;
  /** No load of this model before this time: it failed several times in a row. */
  retryAtMs(model: string): number;
}

/** One step. The scheduler takes it, and asks again until the answer is `rest`. */
export type Decision =
  | {
      readonly kind: 'grant';
      readonly leaseId: LeaseId;
      readonly runnerId: RunnerId;
      readonly classKey: string;
    }
  | {
      readonly kind: 'refuse';
      readonly leaseId: LeaseId;
      readonly classKey: string;
      readonly failure: Failure;
    }
  | {
      readonly kind: 'start';
      readonly classKey: string;
      readonly spec: ModelSpec;
      readonly reservation: Reservation;
      readonly reason: string;
    }
  | {
      readonly kind: 'claim';
      readonly classKey: string;
      readonly spec: ModelSpec;
      readonly reservation: Reservation;
      readonly awaits: readonly RunnerId[];
      readonly victims: readonly Victim[];
      readonly reason: string;
    }
  | {
      readonly kind: 'evict';
      readonly runnerId: RunnerId;
      readonly code: EvictionCode;
      readonly reason: string;
    }
  | { readonly kind: 'unclaim'; readonly classKey: string; readonly reason: string }
  | { readonly kind: 'rest'; readonly wakeAtMs: number; readonly waits: ReadonlyMap<string, string> };

/** Why a runner has to go, for programs. */
export type EvictionCode =
  /** Another model needs its memory. */
  | 'memory_wanted'
  /** The same, although it was in use: somebody has waited for as long as the policy lets anybody wait. */
  | 'starvation'
  /** Its model is asked for with other options. */
  | 'other_options'
  /** Everybody who waited for its load has left. */
  | 'load_abandoned'
  /** Its device is wanted for something else: `corral pause`. */
  | 'device_paused'
  /** Corral may use less of its device than it did. */
  | 'limit_lowered'
  /** Another runner holds more than was planned, and there would be nothing left. */
  | 'memory_outgrown';

/** A runner that has to go, and why this one. */
export interface Victim {
  readonly runnerId: RunnerId;
  readonly code: EvictionCode;
  readonly reason: string;
}
