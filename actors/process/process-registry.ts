import { join } from 'node:path';
import type { RunnerId } from '../../machines/vocabulary.ts';
import type { DiskTrouble } from '../disk/in-background.ts';
import { RememberedFile } from '../disk/remembered-file.ts';
import { endFamily } from './end-family.ts';
import { signalGroup } from './process-group.ts';
import { startTimeOf } from './process-identity.ts';
import { bootId, type OwnersRecord, type ProcessRecord } from './process-record.ts';
import type { RunnerMark } from './runner-mark.ts';
import { startStop } from './stop-command.ts';

export interface RegistryParts {
  readonly mark: RunnerMark;
  readonly trouble: DiskTrouble;
  /** Told of processes that could not be ended. */
  readonly onNote: (note: string) => void;
}

/**
 * Every process that Corral has started: in memory, and on disk for a later Corral that has to end what this one leaves behind
 * (`endOrphans`). One file per running Corral, in a folder that several share. Nothing here throws: a process whose record
 * cannot be written is looked after all the same.
 */
export class ProcessRegistry {
  readonly #file: RememberedFile;
  readonly #mark: RunnerMark;
  readonly #onNote: (note: string) => void;
  readonly #records = new Map<RunnerId, ProcessRecord>();
  readonly #owner = { ownerPid: process.pid, ownerStartTime: startTimeOf(process.pid), bootId: bootId() };

  constructor(folder: string, { mark, trouble, onNote }: RegistryParts) {
    this.#file = new RememberedFile(join(folder, `${process.pid}.json`), trouble);
    this.#onNote = onNote;
    this.#mark = mark;
  }

  /** What a runner's environment needs so that whatever it starts can be found. */
  markFor(runnerId: RunnerId): Readonly<Record<string, string>> {
    return this.#mark.variableFor(runnerId);
  }

  add(record: Omit<ProcessRecord, 'startTime'>): void {
    this.#records.set(record.runnerId, { ...record, startTime: startTimeOf(record.pid) });
    this.#save();
  }

  /** A runner's process has gone: forgets it, and ends whoever of its family has stayed. Resolves when they are gone. */
  async remove(runnerId: RunnerId): Promise<void> {
    const record = this.#records.get(runnerId);
    if (record === undefined) return;
    this.#records.delete(runnerId);
    this.#save();
    // The leader has gone; nobody of its group may stay.
    signalGroup(record.pid, 'SIGKILL');
    const left = await endFamily(
      {
        leaders: [record],
        isMarked: (environment) => this.#mark.isOf(runnerId, environment),
        sinceTime: record.startTime,
      },
      0,
    );
    for (const { pid } of left)
      this.#onNote(`Process ${pid}, which ${runnerId} (${record.command}) had started, cannot be ended.`);
  }

  /** Ends one runner's process group at once. */
  kill(runnerId: RunnerId): void {
    const record = this.#records.get(runnerId);
    if (record) signalGroup(record.pid, 'SIGKILL');
  }

  /** Resolves when the latest record has been written, could not be, or `withinMs` have passed: what is removed then stays away. */
  flush(withinMs: number): Promise<void> {
    return this.#file.flush(withinMs);
  }

  /** Ends all of this Corral's processes at once; fit for an `exit` handler. */
  killAll(): void {
    for (const { pid, stop } of this.#records.values()) {
      signalGroup(pid, 'SIGKILL');
      if (stop) startStop(stop);
    }
    this.#records.clear();
    this.#file.remove();
  }

  #save(): void {
    const content: OwnersRecord = { ...this.#owner, processes: [...this.#records.values()] };
    this.#file.write(JSON.stringify(content));
  }
}
