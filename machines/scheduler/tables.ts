import type { Failure } from '../failures.ts';
import type { ModelRow } from '../model/contract.ts';
import { newConsumption, type Consumption } from '../planning/consumption.ts';
import type { SavedDemand } from '../planning/habits.ts';
import { restoreLearned, type Learned } from '../planning/learned.ts';
import { emptyTable, type Table } from '../planning/table.ts';
import type { Claim, ClassQueue, DeviceView, PlanSettings, RunnerView } from '../planning/view.ts';
import type { SchedulerSettings } from './contract.ts';
import type { DeviceId, Endpoint, ModelSpec, Reservation, RunnerId } from '../vocabulary.ts';

/** A runner as the scheduler knows it. */
export interface RunnerRow extends RunnerView {
  /** What it was last seen to hold in all; null until it has been measured. */
  readonly measuredBytes: number | null;
  /** What is known of what it really holds. */
  readonly consumption: Consumption;
  readonly endpoint: Endpoint | null;
  /** What its load failed on, once those who waited for it have been answered. */
  readonly loadFailure: Failure | null;
}

/** A runner that begins to load now. */
export const newRunnerRow = (
  id: RunnerId,
  spec: ModelSpec,
  reservation: Reservation,
  nowMs: number,
): RunnerRow => ({
  id,
  spec,
  state: 'loading',
  reason: 'requested',
  reservation,
  promised: reservation,
  leases: 0,
  slots: spec.launch.slots,
  pinned: spec.pinned,
  keepAlive: spec.keepAlive,
  overstayed: false,
  startedAtMs: nowMs,
  stateSinceMs: nowMs,
  readyAtMs: null,
  lastUsedAtMs: nowMs,
  progress: null,
  pid: null,
  measuredBytes: null,
  consumption: newConsumption(reservation),
  endpoint: null,
  loadFailure: null,
});

/**
 * All that the scheduler knows, as immutable plain data: the context of its statechart. A transition makes new tables and leaves
 * these as they are, so that a snapshot can be kept, compared, restored and played on from.
 */
export interface Tables {
  readonly settings: PlanSettings;
  readonly deviceLimits: Readonly<Record<DeviceId, number>>;
  readonly devices: ReadonlyMap<DeviceId, DeviceView>;
  readonly runners: Table<RunnerRow>;
  /** Runners of each model, oldest first. */
  readonly runnersByModel: ReadonlyMap<string, readonly RunnerId[]>;
  /** By class key; only those with somebody in them. */
  readonly queues: ReadonlyMap<string, ClassQueue>;
  readonly claims: ReadonlyMap<string, Claim>;
  /** Where each model's chart stands; a model of which nothing was heard yet is not there. */
  readonly models: ReadonlyMap<string, ModelRow>;
  /** By class key: the same model with less context, after it ran out of memory with more. */
  readonly lowered: ReadonlyMap<string, ModelSpec>;
  /** Of each model's use: its demand, its loads and answers, and whether sparing it pays. */
  readonly learned: Learned;
  /** When the devices were last read; -Infinity before the first time. */
  readonly readAtMs: number;
  /** Models whose requests or runners changed since the last rest. */
  readonly touched: ReadonlySet<string>;
  /** Another object whenever what is known of the devices may have changed. */
  readonly inventory: object;
  /** Another object whenever somebody who waits for memory may have come closer to it. */
  readonly supply: object;
  /** Why each cold class waits, as the planner last saw it. */
  readonly waits: ReadonlyMap<string, string>;
  /** When the timer for the next plan fires; Infinity: none is armed. */
  readonly armedForMs: number;
  readonly seq: number;
  readonly runnerSeq: number;
  readonly decisionSeq: number;
}

/** What is known at the beginning: the settings, and what was learned of each model's use before a restart. */
export function newTables(
  { plan, deviceLimits }: SchedulerSettings,
  learned: Readonly<Record<string, SavedDemand>> = {},
): Tables {
  return {
    settings: plan,
    deviceLimits,
    devices: new Map(),
    runners: emptyTable(),
    runnersByModel: new Map(),
    queues: new Map(),
    claims: new Map(),
    models: new Map(),
    lowered: new Map(),
    learned: restoreLearned(learned),
    readAtMs: -Infinity,
    touched: new Set(),
    inventory: {},
    supply: {},
    waits: new Map(),
    armedForMs: Infinity,
    seq: 0,
    runnerSeq: 0,
    decisionSeq: 0,
  };
}
