import type { Failure, FailureCode } from '../failures.ts';
import type { SavedDemand } from '../planning/habits.ts';
import type { EvictionCode, PlanSettings, Waiting } from '../planning/view.ts';
import type { ModelEvent, ModelRow } from '../model/contract.ts';
import type { KeepAliveMode, RunnerLimits, RunnerReport } from '../runner/contract.ts';
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

export interface SchedulerSettings {
  readonly plan: PlanSettings;
  readonly runner: RunnerLimits;
  readonly keepAliveMode: KeepAliveMode;
  /** Most requests that may wait at a time, over all models. */
  readonly maxQueue: number;
  readonly probeIntervalMs: number;
  /** Whether the file of a model is read while others make room for it. */
  readonly readsAhead: boolean;
  /** What Corral may use of a device at most; absent: all of it. */
  readonly deviceLimits: Readonly<Record<DeviceId, number>>;
}

export interface SchedulerInput {
  readonly settings: SchedulerSettings;
  /** The clock's time in ms: the machines never ask the world for it. */
  readonly now: () => number;
  /** Models to load at once, and to keep loaded. */
  readonly preload: readonly ModelSpec[];
  /** What was learned of each model's use before a restart; absent: nothing. */
  readonly demand?: Readonly<Record<string, SavedDemand>>;
}

export interface Request {
  readonly leaseId: LeaseId;
  readonly spec: ModelSpec;
  readonly priority: Priority;
  readonly keepAlive: KeepAlive | null;
  /** Longest wait; `Infinity` for none. */
  readonly waitLimitMs: number;
  /** A second try after a lost runner: says nothing of demand. */
  readonly isRetry: boolean;
}

/** What has happened at a runner's door without the scheduler. */
export type DoorUse =
  /** A request has entered that found a free slot, and nobody before it. */
  | {
      readonly kind: 'entered';
      readonly runnerId: RunnerId;
      readonly atMs: number;
      readonly keepAlive: KeepAlive | null;
      readonly isRetry: boolean;
    }
  /** A request has left; `servedMs` is how long it was served, null when it was not served to its end. */
  | {
      readonly kind: 'left';
      readonly runnerId: RunnerId;
      readonly atMs: number;
      readonly servedMs: number | null;
    };

/** A new configuration, as far as scheduling is concerned. Models that are in neither list stay as they are. */
export interface ConfigChange {
  readonly settings: SchedulerSettings;
  /** Models that are new or different, as they are now. */
  readonly changed: readonly ModelSpec[];
  /**
   * The class keys that the changed models had before. Who waits with another one has options of their own, and keeps them; without
   * this, nobody does.
   */
  readonly classesBefore?: ReadonlyMap<string, string>;
  /** The names of models that there are no more. */
  readonly removed: readonly string[];
  /** Models to load now. */
  readonly preload: readonly ModelSpec[];
}

export type SchedulerCommand =
  /** Of a request that found no open door with a free slot. */
  | { type: 'request.submitted'; request: Request }
  /** It waits no longer. */
  | { type: 'request.withdrawn'; leaseId: LeaseId }
  /** It was granted a door that was closed by then: it waits again, at its old place. */
  | { type: 'request.returned'; waiting: Waiting; runnerId: RunnerId }
  /** Since the last time, in order. Told at once while somebody waits, else from time to time. */
  | { type: 'doors.used'; uses: readonly DoorUse[] }
  | { type: 'devices.read'; readings: readonly DeviceReading[] }
  | { type: 'model.load'; spec: ModelSpec }
  /** `drainMs` 0 takes the runner from its leases at once. */
  | { type: 'model.unload'; model: string; drainMs: number }
  /** Something else gets these devices: who runs on them drains, and none is started there. `refuse`: nor waits for them. */
  | { type: 'devices.pause'; deviceIds: readonly DeviceId[]; refuse: boolean; drainMs: number }
  /** Corral takes them back. */
  | { type: 'devices.resume'; deviceIds: readonly DeviceId[] }
  | { type: 'model.keep'; model: string; keepAlive: KeepAlive; pinned: boolean }
  /** The same as `model.unload` for one runner; who waits for its model goes on waiting, unless it was still loading. */
  | { type: 'runner.stop'; runnerId: RunnerId; drainMs: number }
  /** Runners of models that changed or are gone finish their leases and go; all others stay. */
  | { type: 'config.changed'; change: ConfigChange }
  | { type: 'scheduler.drain'; drainMs: number }
  /** Ends every runner now. */
  | { type: 'scheduler.hurry' };

export type SchedulerEvent = SchedulerCommand | RunnerReport | { type: 'plan.wake' };

export type EventOf<Type extends SchedulerEvent['type'] | '*'> = Extract<SchedulerEvent, { type: Type }>;

export type DecisionKind =
  | 'grant'
  | 'refuse'
  | 'load'
  | 'evict'
  | 'claim'
  | 'unclaim'
  | 'unload'
  | 'loaded'
  | 'failed'
  /** A runner holds more than was planned. */
  | 'outgrown'
  | 'unrecovered'
  | 'stuck';

/** One line of the decision log: what was decided, for whom, and why, in words and data. */
export interface DecisionRecord {
  readonly seq: number;
  readonly atMs: number;
  readonly kind: DecisionKind;
  readonly model: string;
  readonly runnerId: RunnerId | null;
  readonly leaseId: LeaseId | null;
  readonly reason: string;
  /** Why, for programs: of evictions, refusals and failures. */
  readonly code: EvictionCode | FailureCode | null;
  readonly reservation: Reservation | null;
}

/** An event that a model's chart has taken, where it stood before, and where it stands since. */
export interface ModelStep {
  readonly model: string;
  readonly event: ModelEvent;
  readonly before: ModelRow;
  readonly after: ModelRow;
}

export type SchedulerEmitted =
  /** Of one that has waited: it may enter. */
  | {
      type: 'request.granted';
      waiting: Waiting;
      runnerId: RunnerId;
      waitMs: number;
      loadMs: number;
    }
  | { type: 'request.refused'; leaseId: LeaseId; failure: Failure }
  | { type: 'decision'; record: DecisionRecord }
  /** What a load has taught: to be remembered across restarts. */
  | {
      type: 'model.learned';
      classKey: string;
      model: string;
      needBytes: number | null;
      /** Of main memory beside that, where a load has shown it. */
      hostBytes?: number;
      loadMs: number | null;
    }
  | { type: 'runner.changed'; runnerId: RunnerId }
  /** A model's chart has taken an event. */
  | ({ type: 'model.stepped' } & ModelStep)
  | { type: 'runner.broke'; runnerId: RunnerId };
