import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { putAside, readState } from '../disk/read-state.ts';

const processSchema = z.object({
  runnerId: z.string(),
  // 1 is the system's own, and less stands for groups and for everybody.
  pid: z.number().int().min(2),
  command: z.string(),
  /** In the system's own form; null when it could not be read. */
  startTime: z.string().nullable(),
  /** What ends it besides signals, such as a container's own command. */
  stop: z.object({ command: z.array(z.string()).min(1), folder: z.string().nullable() }).optional(),
});
const recordSchema = z.object({
  ownerPid: z.number().int().min(1),
  ownerStartTime: z.string().nullable(),
  /** Which start of the machine the times belong to; null where that cannot be told. */
  bootId: z.string().nullable().default(null),
  processes: z.array(processSchema).max(10_000),
});

/** A started process, told from any later one with the same pid by its start time. */
export type ProcessRecord = Readonly<z.infer<typeof processSchema>>;

/** What one Corral writes down of its processes. */
export type OwnersRecord = Readonly<z.infer<typeof recordSchema>>;

/** What a Corral has written down; null when there is nothing, or nothing of this start of the machine. */
export function readRecord(path: string, onNote: (note: string) => void): OwnersRecord | null {
  const found = readState(path, recordSchema, (reason) => putAside(path, reason, onNote));
  return found === null || (found.bootId !== null && found.bootId !== bootId()) ? null : found;
}

/** Changes with each start of the machine; null where that cannot be told. */
export function bootId(): string | null {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return null;
  }
}
