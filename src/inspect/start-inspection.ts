import { performance } from 'node:perf_hooks';
import type { Logger } from 'pino';
import type { Scheduler } from '../ledger-of.ts';
import type { Endpoint } from '../ws/ws-api.ts';
import { INSPECT_PATH } from './inspect-path.ts';
import { Inspection } from './inspection.ts';
import { pushToRelay } from './push-to-relay.ts';

export interface Inspecting {
  readonly endpoints: Readonly<Record<string, Endpoint>>;
  close(): void;
}

/** What `inspect` of the configuration switches on: true, or the address of a relay that is pushed to as well. */
export function startInspection(scheduler: Scheduler, inspect: boolean | string, log: Logger): Inspecting {
  if (inspect === false) return { endpoints: {}, close: () => {} };
  const inspection = new Inspection(scheduler, { now: () => performance.now() });
  const endRelay = typeof inspect === 'string' ? pushToRelay(inspection, inspect, log) : null;
  return {
    endpoints: { [INSPECT_PATH]: inspection.admit },
    close: () => {
      endRelay?.();
      inspection.close();
    },
  };
}
