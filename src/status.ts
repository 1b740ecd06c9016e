import { explainWait } from '../machines/planning/explain.ts';
import type { RunnerState } from '../machines/runner/contract.ts';
import type { Ledger } from '../machines/scheduler/ledger.ts';
import type { DeviceId, KeepAlive, LeaseId, RunnerId } from '../machines/vocabulary.ts';

export interface DeviceStatus {
  readonly id: DeviceId;
  readonly name: string;
  readonly kind: 'discrete' | 'integrated' | 'cpu';
  readonly totalBytes: number;
  /** What Corral may use. */
  readonly limitBytes: number;
  /** As last reported by the device; null when that is unknown. */
  readonly freeBytes: number | null;
  readonly reservedBytes: number;
}

export interface RunnerStatus {
  readonly id: RunnerId;
  readonly model: string;
  readonly state: RunnerState;
  readonly reason: string;
  readonly leases: number;
  readonly slots: number;
  readonly pid: number | null;
  /** Bytes reserved, per device. */
  readonly devices: Readonly<Record<DeviceId, number>>;
  readonly keepAlive: KeepAlive;
  readonly pinned: boolean;
  /** Ms until the keep-alive ends; null while busy, and when it never ends. */
  readonly idleLeftMs: number | null;
  readonly loadMs: number | null;
  readonly progress: number | null;
  /** Ms in its present state. */
  readonly sinceMs: number;
}

export interface WaitStatus {
  readonly id: LeaseId;
  readonly model: string;
  /** 1 is next in line for this model. */
  readonly position: number;
  readonly reason: string;
  readonly waitedMs: number;
}

/** `GET /api/v1/status`. Times are durations in ms, memory is in bytes. */
export interface ServiceStatus {
  readonly version: string;
  readonly uptimeMs: number;
  readonly devices: readonly DeviceStatus[];
  readonly runners: readonly RunnerStatus[];
  readonly queue: readonly WaitStatus[];
}

/** The whole picture at one moment. */
export const statusOf = (ledger: Ledger, about: { version: string; uptimeMs: number }): ServiceStatus => ({
  ...about,
  devices: devicesOf(ledger),
  runners: runnersOf(ledger),
  queue: queueOf(ledger),
});

const devicesOf = (ledger: Ledger): DeviceStatus[] =>
  [...ledger.devices.values()].map(
    ({ id, name, kind, totalBytes, limitBytes, freeBytes, reservedBytes }) => ({
      id,
      name,
      kind,
      totalBytes,
      limitBytes,
      freeBytes,
      reservedBytes,
    }),
  );

function runnersOf(ledger: Ledger): RunnerStatus[] {
  const nowMs = ledger.now();
  return [...ledger.runners.values()].map((runner) => ({
    id: runner.id,
    model: runner.spec.name,
    state: runner.state,
    reason: runner.reason,
    leases: runner.leases.size,
    slots: runner.slots,
    pid: runner.pid,
    devices: runner.reservation,
    keepAlive: runner.keepAlive,
    pinned: runner.pinned,
    idleLeftMs:
      runner.state === 'idle' && runner.keepAlive !== 'forever' && !runner.pinned
        ? Math.max(0, runner.stateSinceMs + runner.keepAlive - nowMs)
        : null,
    loadMs: runner.readyAtMs === null ? null : runner.readyAtMs - runner.startedAtMs,
    progress: runner.state === 'loading' ? runner.progress : null,
    sinceMs: nowMs - runner.stateSinceMs,
  }));
}

function queueOf(ledger: Ledger): WaitStatus[] {
  const nowMs = ledger.now();
  return [...ledger.queues.values()].flatMap((queue) => {
    const reason = explainWait(queue, ledger, ledger.waits);
    return queue.order.map((waiting, i) => ({
      id: waiting.leaseId,
      model: waiting.spec.name,
      position: i + 1,
      reason,
      waitedMs: nowMs - waiting.arrivedAtMs,
    }));
  });
}
