import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { isAlive } from './process-group.ts';

/** Whether a pid still stands for the process that started then. Not knowing the time is not enough to say so. */
export const isSame = (pid: number, startTime: string | null): boolean =>
  startTime !== null && isAlive(pid) && startTimeOf(pid) === startTime;

/** Start time of a process in the system's own form; null when it has ended, or that cannot be told. */
export function startTimeOf(pid: number): string | null {
  try {
    if (process.platform === 'linux') {
      const entry = parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
      return entry === null || entry.state === 'Z' ? null : entry.startTime;
    }
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || null;
  } catch {
    return null;
  }
}

/** What Linux tells of a process in /proc/PID/stat. */
export interface ProcessEntry {
  readonly pid: number;
  /** `Z` is a zombie: it has ended, and nobody has asked how. */
  readonly state: string;
  readonly group: number;
  readonly session: number;
  /** Clock ticks since the machine's start. */
  readonly startTime: string;
}

export function parseStat(stat: string): ProcessEntry | null {
  // The name in parentheses may hold spaces and parentheses; what follows it does not.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, , group, session] = fields;
  const startTime = fields[19];
  if (state === undefined || startTime === undefined) return null;
  return { pid: Number.parseInt(stat, 10), state, group: Number(group), session: Number(session), startTime };
}
