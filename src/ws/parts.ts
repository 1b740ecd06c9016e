import type { RunnerLogs } from '../../actors/process/runner-logs.ts';
import type { ManagementParts } from '../management/parts.ts';

/** What the WebSocket API shows, and acts upon: the same as the management API, and the runners' terminals. */
export interface WsParts extends ManagementParts {
  readonly logs: Pick<RunnerLogs, 'tail' | 'lines' | 'subscribe' | 'type' | 'terminal' | 'subscribeTerminal'>;
}
