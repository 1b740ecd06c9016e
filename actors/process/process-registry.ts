import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunnerId } from '../../machines/vocabulary.ts';
import { isAlive, signalGroup } from './process-group.ts';

const GRACE_MS = 3_000;
const POLL_MS = 50;

/** A started process, told from any later one with the same pid by its start time. */
export interface ProcessRecord {
  readonly runnerId: RunnerId;
  readonly pid: number;
  readonly command: string;
  /** In the system's own form; null when it could not be read. */
  readonly startTime: string | null;
}

interface RegistryFile {
  readonly ownerPid: number;
  readonly ownerStartTime: string | null;
  readonly processes: readonly ProcessRecord[];
}

/**
 * Every process that Corral has started, on disk: one file per running Corral, in a folder that several share. What an
 * earlier Corral left behind is found and ended at the next start; runners of one that still runs are left alone.
 */
export class ProcessRegistry {
  readonly #folder: string;
  readonly #file: string;
  readonly #records = new Map<RunnerId, ProcessRecord>();
  readonly #ownStartTime = startTimeOf(process.pid);

  constructor(folder: string) {
    this.#folder = folder;
    this.#file = join(folder, `${process.pid}.json`);
    mkdirSync(folder, { recursive: true });
  }

  add(record: Omit<ProcessRecord, 'startTime'>): void {
    this.#records.set(record.runnerId, { ...record, startTime: startTimeOf(record.pid) });
    this.#save();
  }

  remove(runnerId: RunnerId): void {
    if (this.#records.delete(runnerId)) this.#save();
  }

  /** Ends one runner's process group at once. */
  kill(runnerId: RunnerId): void {
    const record = this.#records.get(runnerId);
    if (record) signalGroup(record.pid, 'SIGKILL');
  }

  /** Ends all of this Corral's processes at once; fit for an `exit` handler. */
  killAll(): void {
    for (const { pid } of this.#records.values()) signalGroup(pid, 'SIGKILL');
    this.#records.clear();
    rmSync(this.#file, { force: true });
  }

  /** Ends what Corrals that are no more have left behind: SIGTERM, and SIGKILL after a grace. Returns what it ended. */
  async sweep(): Promise<readonly ProcessRecord[]> {
    const left: ProcessRecord[] = [];
    for (const name of readdirSync(this.#folder).filter((file) => /^\d+\.json$/.test(file))) {
      const path = join(this.#folder, name);
      const found = readRegistry(path);
      if (found && isSame(found.ownerPid, found.ownerStartTime)) continue;
      left.push(...(found?.processes.filter(({ pid, startTime }) => isSame(pid, startTime)) ?? []));
      rmSync(path, { force: true });
    }
    await Promise.all(left.map(end));
    return left;
  }

  #save(): void {
    const content: RegistryFile = {
      ownerPid: process.pid,
      ownerStartTime: this.#ownStartTime,
      processes: [...this.#records.values()],
    };
    const draft = `${this.#file}.new`;
    writeFileSync(draft, JSON.stringify(content));
    renameSync(draft, this.#file);
  }
}

async function end({ pid, startTime }: ProcessRecord): Promise<void> {
  signalGroup(pid, 'SIGTERM');
  for (let waitedMs = 0; waitedMs < GRACE_MS; waitedMs += POLL_MS) {
    if (!isSame(pid, startTime)) return;
    await sleep(POLL_MS);
  }
  signalGroup(pid, 'SIGKILL');
}

function readRegistry(path: string): RegistryFile | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as RegistryFile;
  } catch {
    return null; // cut off or not ours: it tells nothing, and is removed
  }
}

/** Whether a pid still stands for the process that started then. Not knowing the time is not enough to end it. */
const isSame = (pid: number, startTime: string | null): boolean =>
  startTime !== null && isAlive(pid) && startTimeOf(pid) === startTime;

/** Start time of a process: field 22 of /proc/PID/stat where there is one, else what `ps` says. */
export function startTimeOf(pid: number): string | null {
  try {
    if (process.platform === 'linux') {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      // The name in parentheses may hold spaces; what follows it does not. A zombie has ended.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return fields[0] === 'Z' ? null : (fields[19] ?? null);
    }
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || null;
  } catch {
    return null;
  }
}
