import { readFileSync } from 'node:fs';

/**
 * How many processes the kernel has ended since it started because memory ran out, on the whole machine or in a limited group (`oom_kill` of
 * /proc/vmstat, Linux 4.13). Null where the system does not say.
 */
export function memoryKills(): number | null {
  try {
    const [, count] = /^oom_kill (\d+)$/m.exec(readFileSync('/proc/vmstat', 'utf8')) ?? [];
    return count === undefined ? null : Number(count);
  } catch {
    return null;
  }
}
