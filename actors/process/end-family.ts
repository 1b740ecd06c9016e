import { setTimeout as sleep } from 'node:timers/promises';
import { signalGroup } from './process-group.ts';
import { isSame } from './process-identity.ts';
import { environmentOf, readProcesses } from './process-table.ts';

/** What is ended may have started something else meanwhile. */
const ROUNDS = 3;
const POLL_MS = 20;
/** How long a process that gets SIGKILL may take to go; one in an uninterruptible sleep takes longer. */
const KILLED_WITHIN_MS = 2_000;

/** A process, told from any later one with the same pid. */
export interface Target {
  readonly pid: number;
  readonly startTime: string | null;
}

/** Whose processes are looked for: by group, by session, and by the mark that they have inherited. */
export interface Family {
  /** Processes that lead, or have led, a group and session of their own. */
  readonly leaders: readonly Target[];
  /** Whether what a process has in its environment makes it one of the family. */
  readonly isMarked: (environment: string) => boolean;
  /** Nobody of the family was there before, in the system's own form; null when that is not known. */
  readonly sinceTime: string | null;
}

/**
 * Ends all that belong to a family: SIGTERM, where they get a grace, then SIGKILL. Resolves to those that are there all the
 * same. Where there is no /proc only leaders and their groups are found.
 */
export async function endFamily(family: Family, graceMs: number): Promise<readonly Target[]> {
  let left: readonly Target[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    left = await membersOf(family);
    if (left.length === 0) return [];
    if (round === 0 && graceMs > 0) left = await signalAndWait(left, 'SIGTERM', graceMs);
    left = await signalAndWait(left, 'SIGKILL', KILLED_WITHIN_MS);
  }
  return left;
}

/** Who belongs to a family now. */
export async function membersOf(family: Family): Promise<readonly Target[]> {
  const pids = family.leaders.map(({ pid }) => pid);
  const leaders = family.leaders.filter(isThere);
  const candidates = (await readProcesses()).filter(
    ({ pid, startTime }) =>
      pid !== process.pid &&
      !pids.includes(pid) &&
      (family.sinceTime === null || Number(startTime) >= Number(family.sinceTime)),
  );
  const found = await Promise.all(
    candidates.map(async ({ pid, group, session, startTime }) => {
      const isNear = pids.includes(group) || pids.includes(session);
      return isNear || family.isMarked(await environmentOf(pid)) ? [{ pid, startTime }] : [];
    }),
  );
  return [...leaders, ...found.flat()];
}

const isThere = ({ pid, startTime }: Target): boolean => isSame(pid, startTime);

async function signalAndWait(
  targets: readonly Target[],
  signal: 'SIGTERM' | 'SIGKILL',
  withinMs: number,
): Promise<readonly Target[]> {
  let left = targets.filter(isThere);
  for (const { pid } of left) {
    signalGroup(pid, signal); // nobody's, where it leads none
    send(pid, signal);
  }
  for (let waitedMs = 0; left.length > 0 && waitedMs < withinMs; waitedMs += POLL_MS) {
    await sleep(POLL_MS);
    left = left.filter(isThere);
  }
  return left;
}

/** It may have gone meanwhile, or be another user's by now; whether it is there is looked at afterwards. */
function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // told by who is left
  }
}
