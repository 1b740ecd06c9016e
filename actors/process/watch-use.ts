import { fromCallback } from 'xstate';
import type { Effects, UseEvent, UseSpec } from '../../machines/effects.ts';
import type { Reservation } from '../../machines/vocabulary.ts';
import { pause } from './await-ready.ts';
import { heldMemory } from './resident-bytes.ts';

/** What a GPU tool says of one process, in bytes per device; null when it cannot tell. */
export type UsedByPid = (pid: number) => Promise<Reservation | null>;

/** How often a serving process is looked at. What grows within that time is seen late. */
const LOOK_EVERY_MS = 5_000;
const MIB = 1024 ** 2;
/** Less is no change. */
const NOISE_BYTES = 16 * MIB;

/**
 * What a runner really holds, at once and for as long as it serves: told when that has changed, and once more when it has come to rest. On GPUs
 * it is what the driver says of its process, which it may not: in containers pids are the host's. In main memory it is all that is
 * resident where layers lie there, and without pages of files where they do not: those are libraries, and weights on their way to a GPU.
 */
export const createWatchUse = (usedByPid: UsedByPid, everyMs = LOOK_EVERY_MS): Effects['watchUse'] =>
  fromCallback<{ type: 'none' }, UseSpec>(({ input, sendBack }) => {
    const stop = new AbortController();
    const tell = (use: Reservation): void => sendBack({ type: 'use.measured', use } satisfies UseEvent);
    // Only ever rejects because it was stopped.
    watch(input, { usedByPid, everyMs, tell, signal: stop.signal }).catch(() => {});
    return () => stop.abort();
  });

interface Watching {
  readonly usedByPid: UsedByPid;
  readonly everyMs: number;
  readonly tell: (use: Reservation) => void;
  readonly signal: AbortSignal;
}

async function watch(spec: UseSpec, { usedByPid, everyMs, tell, signal }: Watching): Promise<void> {
  let last: Reservation | null = null;
  let wasMoving = true;
  for (;;) {
    const use = await useOf(spec, usedByPid);
    signal.throwIfAborted();
    if (use !== null) {
      const isMoving = last === null || hasChanged(last, use);
      if (isMoving || wasMoving) tell((last = use));
      wasMoving = isMoving;
    }
    await pause(everyMs, signal);
  }
}

/** Null where nothing can be told, or nothing of those devices that it was given. */
async function useOf(
  { pid, reservation, hostBytes }: UseSpec,
  usedByPid: UsedByPid,
): Promise<Reservation | null> {
  if (pid === null) return null;
  const gpus = Object.keys(reservation).filter((id) => id !== 'CPU');
  const used = gpus.length === 0 ? null : await usedByPid(pid).catch(() => null);
  const onGpus = gpus.some((id) => (used?.[id] ?? 0) > 0) ? used : null;
  const memory = await heldMemory(pid);
  const hasLayers = gpus.length === 0 || (reservation['CPU'] ?? 0) > hostBytes;
  const bytes = memory?.[hasLayers ? 'residentBytes' : 'privateBytes'];
  if (onGpus === null && bytes === undefined) return null;
  return { ...onGpus, ...(bytes !== undefined && { CPU: bytes }) };
}

const hasChanged = (before: Reservation, now: Reservation): boolean =>
  [...Object.keys(before), ...Object.keys(now)].some(
    (id) => Math.abs((now[id] ?? 0) - (before[id] ?? 0)) >= NOISE_BYTES,
  );
