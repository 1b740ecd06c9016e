import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { RunnerId } from '../../machines/vocabulary.ts';
import { endFamily, membersOf } from './end-family.ts';
import { isSame } from './process-identity.ts';
import { readRecord, type ProcessRecord } from './process-record.ts';
import type { RunnerMark } from './runner-mark.ts';
import { environmentOf } from './process-table.ts';
import { runStop } from './stop-command.ts';

const GRACE_MS = 3_000;

/** A process that a Corral which is no more had left behind. */
export interface Orphan {
  readonly pid: number;
  /** Null when it is only known by the session of another. */
  readonly runnerId: RunnerId | null;
  /** Whether it is gone now. */
  readonly hasEnded: boolean;
}

/**
 * Ends what Corrals that are no more have left behind: the processes of their records, whoever is in the groups and sessions of
 * these, and whoever has inherited a runner's mark. What belongs to a Corral that still runs is left alone. Never rejects.
 */
export async function endOrphans(
  folder: string,
  mark: RunnerMark,
  onNote: (note: string) => void,
): Promise<readonly Orphan[]> {
  const records = recordsLeftBehind(folder, onNote);
  const leaders = records.flatMap(({ processes }) => processes);
  await Promise.all(records.flatMap(({ stops }) => stops.map((one) => stopLeftBehind(one, onNote))));
  const family = {
    leaders,
    isMarked: (environment: string) => mark.runnerLeftBehind(environment) !== null,
    sinceTime: null,
  };
  const found = await membersOf(family);
  const runnerOf = async (pid: number): Promise<RunnerId | null> =>
    leaders.find((one) => one.pid === pid)?.runnerId ?? mark.runnerLeftBehind(await environmentOf(pid));
  const orphans = await Promise.all(found.map(async ({ pid }) => ({ pid, runnerId: await runnerOf(pid) })));
  const left = await endFamily(family, GRACE_MS);
  // What is left is for the next start again.
  if (left.length === 0) for (const { path } of records) remove(path, onNote);
  return orphans.map((one) => ({ ...one, hasEnded: left.every(({ pid }) => pid !== one.pid) }));
}

interface Left {
  readonly path: string;
  readonly processes: readonly ProcessRecord[];
  /** Those with a command of their own to stop them: that is run whether or not they are there, for what they have started may be. */
  readonly stops: readonly ProcessRecord[];
}

async function stopLeftBehind(
  { runnerId, stop }: ProcessRecord,
  onNote: (note: string) => void,
): Promise<void> {
  if (stop === undefined) return;
  const fault = await runStop(stop);
  onNote(
    `${stop.command[0]} was run to stop ${runnerId}, which an earlier Corral had left behind${fault === null ? '' : `: ${fault}`}.`,
  );
}

/** The records of Corrals that are no more, each with what is still there of its processes. */
function recordsLeftBehind(folder: string, onNote: (note: string) => void): readonly Left[] {
  return recordsIn(folder, onNote).flatMap((name) => {
    const path = join(folder, name);
    const found = readRecord(path, onNote);
    if (found && isSame(found.ownerPid, found.ownerStartTime)) return [];
    const processes = found?.processes ?? [];
    return [
      {
        path,
        processes: processes.filter(({ pid, startTime }) => isSame(pid, startTime)),
        stops: processes.filter(({ stop }) => stop !== undefined),
      },
    ];
  });
}

function recordsIn(folder: string, onNote: (note: string) => void): readonly string[] {
  try {
    return readdirSync(folder).filter((name) => /^\d+\.json$/.test(name));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : '';
    if (code !== 'ENOENT' && code !== 'ENOTDIR')
      onNote(`What earlier runs have left in ${folder} cannot be read: ${String(error)}`);
    return [];
  }
}

function remove(path: string, onNote: (note: string) => void): void {
  try {
    rmSync(path, { force: true });
  } catch (error) {
    onNote(`${path} cannot be removed: ${String(error)}`);
  }
}
