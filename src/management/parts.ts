import type { Logger } from 'pino';
import type { RunnerLogs } from '../../actors/process/runner-logs.ts';
import { shuttingDown } from '../../machines/scheduler/commands.ts';
import type { DecisionRecord, SchedulerSettings } from '../../machines/scheduler/contract.ts';
import type { Activity } from '../activity/activity.ts';
import type { Catalogue } from '../catalogue.ts';
import { ServiceError } from '../errors.ts';
import type { Scheduler } from '../ledger-of.ts';
import type { ScenarioInput } from '../simulation/scenario/schema.ts';
import type { ReloadReport, ServiceStatus } from './schemas.ts';

/** How a configuration is read again. */
export interface ReloadWishes {
  /** Only to say what would change. */
  readonly dryRun?: boolean;
  /** Also when no key is left. */
  readonly dropKeys?: boolean;
  /** Also when most models go. */
  readonly force?: boolean;
}

/** What the management API shows, and acts upon. */
export interface ManagementParts {
  readonly scheduler: Scheduler;
  readonly catalogue: Catalogue;
  readonly status: () => ServiceStatus;
  /** The decision log, oldest first. */
  readonly decisions: () => readonly DecisionRecord[];
  readonly activity: Pick<Activity, 'latest' | 'subscribe' | 'bodiesOf'>;
  /** What was told over the last minutes: a JSON object each, oldest first. */
  readonly history: () => readonly string[];
  /** What has happened since the start, as a scenario. */
  readonly recording: () => ScenarioInput;
  /** Reads the configuration again. Rejects with a `ConfigError` when it cannot be used, with a `ProblemError` when it takes much away. */
  readonly reload: (wishes: ReloadWishes) => Promise<ReloadReport>;
  readonly logs: Pick<RunnerLogs, 'tail' | 'subscribe' | 'type'>;
  readonly log: Logger;
  readonly version: string;
}

export const settingsOf = ({ scheduler }: ManagementParts): SchedulerSettings =>
  scheduler.getSnapshot().context.settings;

/** Throws a `ServiceError` when Corral is shutting down: then nothing is loaded any more. */
export function assertLoading({ scheduler }: Pick<ManagementParts, 'scheduler'>): void {
  const snapshot = scheduler.getSnapshot();
  if (snapshot.status !== 'active' || snapshot.matches('draining')) throw new ServiceError(shuttingDown);
}
