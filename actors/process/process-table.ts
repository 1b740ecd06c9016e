import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { parseStat, type ProcessEntry } from './process-identity.ts';

/** So many are read before others get their turn: a millisecond or so. */
const AT_A_TIME = 50;

/** All processes of this machine that have not ended; none where there is no /proc. */
export async function readProcesses(): Promise<readonly ProcessEntry[]> {
  const found: ProcessEntry[] = [];
  for (const [i, pid] of pids().entries()) {
    if (i % AT_A_TIME === AT_A_TIME - 1) await nextTurn();
    const entry = parseStat(statOf(pid));
    if (entry !== null && entry.state !== 'Z' && entry.state !== 'X') found.push(entry);
  }
  return found;
}

/** What a process has in its environment, separated by NUL; empty when that is not to be had. */
export const environmentOf = (pid: number): Promise<string> =>
  // Unlike the rest it may have to wait, for a process that maps memory.
  readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');

function pids(): readonly string[] {
  try {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return []; // this system has none
  }
}

function statOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return ''; // it has ended meanwhile
  }
}
