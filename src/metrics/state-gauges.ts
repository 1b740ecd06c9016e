import { Gauge, type Registry } from 'prom-client';
import { residentBytes } from '../../actors/process/resident-bytes.ts';
import type { LedgerReader } from '../../machines/scheduler/ledger-reader.ts';
import type { RunnerRow } from '../../machines/scheduler/tables.ts';
import type { DeviceView } from '../../machines/planning/view.ts';

/** Sets a gauge for some labels. */
type Set = (labels: Record<string, string>, value: number) => void;

/** What is so at the moment of asking: read from the ledger when somebody does, and at no other time. */
export function stateGauges(
  registry: Registry,
  ledger: () => LedgerReader,
  models: () => readonly string[],
): void {
  const gauge = (
    name: string,
    help: string,
    labelNames: string[],
    read: (set: Set) => void | Promise<void>,
  ) =>
    new Gauge({
      name,
      help,
      labelNames,
      registers: [registry],
      async collect() {
        // What was there the last time and is no more must not stay.
        this.reset();
        await read((labels, value) => this.set(labels, value));
      },
    });
  const perModel = (name: string, help: string, valueOf: (runner: RunnerRow) => number) =>
    gauge(name, help, ['model'], (set) => {
      for (const [model, runners] of byModel(ledger()))
        set(
          { model },
          runners.reduce((sum, runner) => sum + valueOf(runner), 0),
        );
    });
  const perDevice = (name: string, help: string, valueOf: (device: DeviceView) => number | null) =>
    gauge(name, help, ['device'], (set) => {
      for (const device of ledger().devices.values()) {
        const value = valueOf(device);
        if (value !== null) set({ device: device.id }, value);
      }
    });

  gauge('corral_runners', 'Runners, by the state that they are in.', ['model', 'state'], (set) => {
    for (const [model, runners] of byModel(ledger()))
      for (const [state, those] of groupBy(runners, (runner) => runner.state))
        set({ model, state }, those.length);
  });
  perModel('corral_leases', 'Requests that use a runner.', ({ leases }) => leases);
  perModel('corral_slots', 'Requests that the runners could serve at the same time.', ({ slots }) => slots);
  gauge('corral_queue_length', 'Requests that wait for a runner.', ['model'], (set) => {
    for (const model of models()) set({ model }, queueLength(ledger(), model));
  });
  gauge('corral_queue_oldest_seconds', 'How long the request has waited that waits longest.', [], (set) =>
    set({}, oldestWaitMs(ledger()) / 1000),
  );
  perDevice('corral_device_total_bytes', "A device's memory.", (device) => device.totalBytes);
  perDevice('corral_device_limit_bytes', 'What Corral may use of it.', (device) => device.limitBytes);
  perDevice('corral_device_reserved_bytes', 'What is reserved for runners.', (one) => one.reservedBytes);
  perDevice('corral_device_others_bytes', 'What other programs hold.', (device) => device.othersBytes);
  perDevice('corral_device_paused', 'Whether it is given to something else: 1 or 0.', ({ pause }) =>
    pause === undefined ? 0 : 1,
  );
  perDevice(
    'corral_device_free_bytes',
    'What the device says is free; absent while it does not say.',
    (device) => device.freeBytes,
  );
  gauge(
    'corral_device_shares_main_memory',
    'Devices whose memory is main memory, counted with CPU already: leave them out of sums.',
    ['device'],
    (set) => {
      for (const { id, sharesMainMemory } of ledger().devices.values())
        if (sharesMainMemory) set({ device: id }, 1);
    },
  );
  gauge(
    'corral_runner_resident_bytes',
    "Main memory of a runner's processes, of a model's first runner, its second and so on (Linux).",
    ['model', 'replica'],
    readResident(ledger),
  );
}

/** Replicas are numbered, since the ids of runners are never used again: each would be a time series for ever. */
const readResident =
  (ledger: () => LedgerReader) =>
  async (set: Set): Promise<void> => {
    const rows = [...byModel(ledger())].flatMap(([model, runners]) =>
      runners.map(({ pid }, index) => ({ model, pid, replica: String(index + 1) })),
    );
    await Promise.all(
      rows.map(async ({ model, pid, replica }) => {
        const bytes = pid === null ? null : await residentBytes(pid);
        if (bytes !== null) set({ model, replica }, bytes);
      }),
    );
  };

const byModel = (ledger: LedgerReader): Map<string, RunnerRow[]> =>
  groupBy(ledger.runners.values(), ({ spec }) => spec.name);

function groupBy<T>(values: Iterable<T>, keyOf: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    const group = groups.get(keyOf(value));
    if (group) group.push(value);
    else groups.set(keyOf(value), [value]);
  }
  return groups;
}

const queueLength = (ledger: LedgerReader, model: string): number =>
  ledger.queuesOf(model).reduce((sum, { order }) => sum + order.length, 0);

function oldestWaitMs(ledger: LedgerReader): number {
  const arrivals = [...ledger.queues.values()].map(({ arrivals: [first] }) => first?.arrivedAtMs ?? Infinity);
  const oldestMs = Math.min(Infinity, ...arrivals);
  return oldestMs === Infinity ? 0 : ledger.now() - oldestMs;
}
