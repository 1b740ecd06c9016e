import { Command } from 'commander';
import { formatBytes, sumBytes } from '../../machines/vocabulary.ts';
import type { RunnerStatus, ServiceStatus } from '../status.ts';
import { stdout } from '../terminal/print.ts';
import { askService } from './ask-service.ts';
import { configOf, printJson } from './context.ts';
import { addressOf } from './service-address.ts';
import { formatDuration, table } from './table.ts';

/** `corral ps`: devices, runners, and who waits for what. */
export const psCommand = (): Command =>
  new Command('ps')
    .description('show devices, runners and the queue of a running Corral')
    .option('--json', 'print JSON')
    .action(async (options: { json?: boolean }, command: Command) => {
      const status = await askService<ServiceStatus>(addressOf(configOf(command)), '/api/v1/status');
      if (options.json) return printJson(status);
      stdout.write(`${pictureOf(status)}\n`);
    });

function pictureOf({ devices, runners, queue, failed }: ServiceStatus): string {
  const deviceRows = devices.map((device) => [
    device.id,
    device.pause === null ? device.name : `${device.name}, paused (${device.pause})`,
    `${formatBytes(device.reservedBytes)} of ${formatBytes(device.limitBytes)}`,
    `${device.freeBytes === null ? 'unknown' : formatBytes(device.freeBytes)}${device.sharesMainMemory ? ' of main memory' : ''}`,
  ]);
  const runnerRows = runners.map((runner) => [
    runner.id,
    runner.model,
    runner.progress === null ? runner.state : `${runner.state} ${Math.round(runner.progress * 100)} %`,
    `${runner.leases}/${runner.slots}`,
    `${formatBytes(sumBytes(runner.reservedBytes))} on ${Object.keys(runner.reservedBytes).join(' + ')}`,
    staysFor(runner),
    runner.pid ?? '-',
  ]);
  const queueRows = queue.map((one) => [one.model, one.position, formatDuration(one.waitedMs), one.reason]);
  const parts = [table(['DEVICE', 'NAME', 'RESERVED', 'FREE'], deviceRows)];
  parts.push(
    runnerRows.length === 0
      ? 'Nothing is loaded.'
      : table(['RUNNER', 'MODEL', 'STATE', 'LEASES', 'MEMORY', 'STAYS', 'PID'], runnerRows),
  );
  if (queueRows.length > 0) parts.push(table(['WAITS FOR', 'POSITION', 'SINCE', 'REASON'], queueRows));
  if (failed.length > 0)
    parts.push(
      table(
        ['FAILED', 'BECAUSE'],
        failed.map(({ model, message }) => [model, message]),
      ),
    );
  return parts.join('\n\n');
}

function staysFor({ pinned, keepAliveMs, idleLeftMs, state }: RunnerStatus): string {
  if (pinned) return 'pinned';
  if (keepAliveMs === 'forever') return 'forever';
  if (idleLeftMs !== null) return formatDuration(idleLeftMs);
  return state === 'ready' ? `${formatDuration(keepAliveMs)} after use` : '-';
}
