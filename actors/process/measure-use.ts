import { fromPromise } from 'xstate';
import type { Effects, UseSpec } from '../../machines/effects.ts';
import type { Reservation } from '../../machines/vocabulary.ts';
import { residentBytes } from './resident-bytes.ts';

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
