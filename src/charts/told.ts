import type { AnyEventObject } from 'xstate';
import type { DevicesInput } from '../../machines/devices.machine.ts';
import type { ModelContext } from '../../machines/model/contract.ts';
import type { RunnerContext } from '../../machines/runner/setup.ts';
import { LedgerReader } from '../../machines/scheduler/ledger-reader.ts';
import type { Tables } from '../../machines/scheduler/tables.ts';

/** What may be told of an event or a context: names, numbers and states; never keys, requests or arguments. */
export type Told = Readonly<Record<string, string | number | boolean | null>>;

/** What is told of an event's content. Only what is named here: endpoints have keys, and models have arguments. */
const OF_EVENTS = [
  'runnerId',
  'leaseId',
  'model',
  'state',
  'reason',
  'drainMs',
  'keepAlive',
  'pinned',
  'pid',
  'progress',
  'slots',
  'contextTokens',
  'exitCode',
  'signal',
  'priority',
  'left',
] as const;

export function toldOfEvent(event: AnyEventObject): Told {
  const { request, spec, failure } = event as Record<string, Record<string, unknown> | null | undefined>;
  const { name } = (request?.['spec'] ?? spec ?? {}) as { name?: unknown };
  const told: Record<string, unknown> = {
    model: name,
    leaseId: request?.['leaseId'],
    failure: failure?.['code'],
  };
  for (const key of OF_EVENTS) told[key] = (event as Record<string, unknown>)[key] ?? told[key];
  return Object.fromEntries(
    Object.entries(told).filter((pair): pair is [string, Told[string]] => isScalar(pair[1])),
  );
}

const isScalar = (value: unknown): boolean =>
  value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value);

/** What is told of each chart's context. */
const OF_CONTEXTS: Readonly<Record<string, (context: never) => Told>> = {
  runner: ({ spec, pid, pinned, keepAlive, drainMs, reason, failure, wasReady }: RunnerContext) => ({
    model: spec.name,
    reason,
    failure: failure?.code ?? null,
    keepAlive,
    pinned,
    drainMs: Number.isFinite(drainMs) ? drainMs : 'forever',
    pid,
    wasReady,
  }),
  model: ({ name, failures, alone, pinnedAs }: ModelContext) => ({
    model: name,
    failures: failures.count,
    failure: failures.last?.code ?? null,
    alone: alone.length,
    pinned: pinnedAs !== null,
  }),
  scheduler: ({ tables }: { readonly tables: Tables }) => {
    const { waitingCount: waiting, leaseCount: leases } = new LedgerReader(tables, () => 0);
    return { runners: tables.runners.rows.length, waiting, leases, claims: tables.claims.size };
  },
  devices: ({ intervalMs, deadlineMs }: DevicesInput) => ({ intervalMs, deadlineMs }),
};

/** What may be told of a context. */
export const toldOfContext = (chart: string, context: unknown): Told =>
  OF_CONTEXTS[chart]?.(context as never) ?? {};
