import { Counter, Histogram, type Registry } from 'prom-client';
import type { DecisionRecord } from '../../machines/scheduler/contract.ts';
import type { Doors } from '../../actors/doors.ts';
import type { Scheduler } from '../ledger-of.ts';

const WAIT_BUCKETS = [0.01, 0.1, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600];
const LOAD_BUCKETS = [0.1, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600];

/** Counts what the scheduler decides, and measures how long requests wait and models load. */
export function watchScheduler(registry: Registry, scheduler: Scheduler, doors: Doors): void {
  const registers = [registry];
  const waits = new Histogram({
    name: 'corral_wait_seconds',
    help: "From a request's arrival to its runner, of requests that got one; the load is part of it.",
    labelNames: ['model'],
    buckets: WAIT_BUCKETS,
    registers,
  });
  const loads = new Histogram({
    name: 'corral_load_seconds',
    help: 'From the start of a runner until it was ready, of loads that succeeded.',
    labelNames: ['model'],
    buckets: LOAD_BUCKETS,
    registers,
  });
  doors.on('granted', ({ model, waitMs }) => waits.observe({ model }, waitMs / 1000));
  scheduler.on('model.learned', ({ model, loadMs }) => {
    if (loadMs !== null) loads.observe({ model }, loadMs / 1000);
  });
  const count = decisionCounters(registry);
  scheduler.on('decision', ({ record }) => count(record));
}

function decisionCounters(registry: Registry): (record: DecisionRecord) => void {
  const counter = <Label extends string>(name: string, help: string, ...labelNames: Label[]) =>
    new Counter({ name, help, labelNames, registers: [registry] });
  const loads = counter('corral_loads_total', 'Runners that were started.', 'model');
  const failures = counter(
    'corral_runner_failures_total',
    'Runners that ended in failure, while they loaded (load_…, spawn_…, model_file_…) or served.',
    'model',
    'code',
  );
  const evictions = counter(
    'corral_evictions_total',
    'Runners that were made to go: memory_wanted, starvation, other_options, load_abandoned, device_paused, limit_lowered, memory_outgrown.',
    'model',
    'code',
  );
  const unloads = counter('corral_unloads_total', 'Runners that were told to end, for any reason.', 'model');
  const outgrown = counter(
    'corral_outgrown_total',
    'How often a runner was found to hold more than was planned.',
    'model',
  );
  const refusals = counter(
    'corral_refusals_total',
    'Requests that got no runner: queue_full, queue_timeout, does_not_fit and so on.',
    'model',
    'code',
  );
  return ({ kind, model, code }) => {
    if (kind === 'load') loads.inc({ model });
    else if (kind === 'unload') unloads.inc({ model });
    else if (kind === 'outgrown') outgrown.inc({ model });
    else if (kind === 'failed') failures.inc({ model, code: code ?? '' });
    else if (kind === 'evict') evictions.inc({ model, code: code ?? '' });
    else if (kind === 'refuse') refusals.inc({ model, code: code ?? '' });
  };
}
