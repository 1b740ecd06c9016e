import type { Doors } from '../../actors/doors.ts';
import type { RunnerLogs } from '../../actors/process/runner-logs.ts';
import type { ProxyParts } from '../http/proxy.ts';
import type { ListParts } from '../http/send-models.ts';
import type { ManagementParts } from '../management/parts.ts';

/** What is known and done of models on behalf of other servers' clients. */
export interface ControlParts extends Pick<ManagementParts, 'scheduler' | 'catalogue' | 'decisions'> {
  /** What they let in and out without asking is told before anybody looks. */
  readonly doors: Pick<Doors, 'tell'>;
  readonly logs: Pick<RunnerLogs, 'lines' | 'subscribe'>;
}

/** The same, and what requests are served with. */
export interface OthersParts extends ControlParts, ProxyParts, Omit<ListParts, 'desk'> {
  readonly version: string;
}
