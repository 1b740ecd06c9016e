import { explainWait } from '../machines/planning/explain.ts';
import type { LedgerReader } from '../machines/scheduler/ledger-reader.ts';
import type { ClassQueue } from '../machines/planning/view.ts';
import type { RunnerRow } from '../machines/scheduler/tables.ts';
import { estimateWait } from './estimate-wait.ts';
import type { DeviceStatus, RunnerStatus, ServiceStatus, WaitStatus } from './management/schemas.ts';

export type { DeviceStatus, RunnerStatus, ServiceStatus, WaitStatus } from './management/schemas.ts';

type About = Pick<ServiceStatus, 'version' | 'state' | 'uptimeMs'>;

/** `GET /api/v1/status`: the whole picture at one moment. Times are durations in ms, memory is in bytes. */
export const statusOf = (ledger: LedgerReader, about: About): ServiceStatus => ({
  ...about,
  uptimeMs: Math.round(about.uptimeMs),
  devices: devicesOf(ledger),
  runners: [...ledger.runners.values()].map((runner) => runnerStatus(runner, ledger.now())),
  queue: [...ledger.queues.values()].flatMap((queue) => waitsOf(queue, ledger)),
  failed: ledger.failedModels().map(([model, { code, message }]) => ({ model, code, message })),
});

export const devicesOf = (ledger: LedgerReader): DeviceStatus[] =>
  [...ledger.devices.values()].map(
    ({
      id,
      name,
      kind,
      sharesMainMemory = false,
      totalBytes,
      limitBytes,
      freeBytes,
      reservedBytes,
      claimedBytes,
      othersBytes,
      pause = null,
    }) => ({
      id,
      name,
      kind,
      totalBytes,
      limitBytes,
      freeBytes,
      reservedBytes,
      claimedBytes,
      othersBytes,
      sharesMainMemory,
      pause,
    }),
  );

export const runnerStatus = (runner: RunnerRow, nowMs: number): RunnerStatus => ({
  id: runner.id,
  model: runner.spec.name,
  state: runner.state,
  reason: runner.reason,
  leases: runner.leases,
  slots: runner.slots,
  pid: runner.pid,
  reservedBytes: runner.reservation,
  needBytes: ownNeedOf(runner),
  needSource: runner.spec.needSource,
  measuredBytes: runner.measuredBytes,
  keepAliveMs: runner.keepAlive,
  pinned: runner.pinned,
  idleLeftMs: idleLeftMs(runner, nowMs),
  loadMs: runner.readyAtMs === null ? null : Math.round(runner.readyAtMs - runner.startedAtMs),
  progress: runner.state === 'loading' ? runner.progress : null,
  sinceMs: Math.round(nowMs - runner.stateSinceMs),
});

/** What it needs of its devices. On the CPU the program itself is among that; what it takes of main memory while it serves, a prompt cache say, never is. */
function ownNeedOf({ spec, promised }: RunnerRow): number {
  const isOnCpu = Object.keys(promised).every((id) => id === 'CPU');
  const runtime =
    spec.needParts?.find(({ of, inMainMemory }) => of === 'runtime' && inMainMemory)?.bytes ?? 0;
  return spec.needBytes + (isOnCpu && spec.needSource !== 'configured' ? Math.ceil(runtime) : 0);
}

function idleLeftMs({ state, keepAlive, pinned, stateSinceMs }: RunnerRow, nowMs: number): number | null {
  if (state !== 'idle' || keepAlive === 'forever' || pinned) return null;
  return Math.max(0, Math.round(stateSinceMs + keepAlive - nowMs));
}

/** All that wait in one queue, next in line first. */
export function waitsOf(queue: ClassQueue, ledger: LedgerReader): WaitStatus[] {
  const nowMs = ledger.now();
  const reason = explainWait(queue, ledger, ledger.waits);
  return queue.order.map((waiting, index) => ({
    id: waiting.leaseId,
    model: waiting.spec.name,
    position: index + 1,
    reason,
    waitedMs: Math.round(nowMs - waiting.arrivedAtMs),
    estimateMs: estimateWait(queue, index, ledger, nowMs),
  }));
}
