import { readFile, readdir } from 'node:fs/promises';
import { fromPromise } from 'xstate';
import type { Effects, UseSpec } from '../../machines/effects.ts';
import type { Reservation } from '../../machines/vocabulary.ts';

const KIB = 1024;

/** What a GPU tool says of one process, in bytes per device; null when it cannot tell. */
export type UsedByPid = (pid: number) => Promise<Reservation | null>;

/**
 * What a ready runner really holds. On the CPU it is the resident memory of its process where that exceeds what was promised;
 * on GPUs what the driver says of the pid. Null where it is not to be had: in containers pids are the host's, and some
 * drivers do not tell.
 */
export const createMeasureUse = (usedByPid: UsedByPid): Effects['measureUse'] =>
  fromPromise<Reservation | null, UseSpec>(async ({ input: { pid, reservation } }) => {
    if (pid === null) return null;
    const ids = Object.keys(reservation);
    if (ids.every((id) => id === 'CPU')) {
      const bytes = await residentBytes(pid);
      // Main memory is taken as it is used: a cache that is still empty is not resident, so less than promised tells nothing.
      return bytes === null || bytes <= (reservation['CPU'] ?? 0) ? null : { CPU: bytes };
    }
    const used = await usedByPid(pid);
    return used !== null && ids.some((id) => (used[id] ?? 0) > 0) ? used : null;
  });

/** Resident memory of a process and its children (Linux); null elsewhere. */
async function residentBytes(pid: number): Promise<number | null> {
  if (process.platform !== 'linux') return null;
  let bytes = await residentOf(pid);
  for (const child of await childrenOf(pid)) bytes += await residentOf(child);
  return bytes > 0 ? bytes : null;
}

async function residentOf(pid: number): Promise<number> {
  try {
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * KIB;
  } catch {
    return 0; // ended meanwhile
  }
}

async function childrenOf(pid: number): Promise<number[]> {
  try {
    const tasks = await readdir(`/proc/${pid}/task`);
    const lists = await Promise.all(
      tasks.map((task) => readFile(`/proc/${pid}/task/${task}/children`, 'utf8').catch(() => '')),
    );
    return lists.flatMap((list) => list.trim().split(/\s+/).filter(Boolean).map(Number));
  } catch {
    return [];
  }
}
