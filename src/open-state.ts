import { join, resolve } from 'node:path';
import type { Logger } from 'pino';
import { openDataFolder } from '../actors/disk/data-folder.ts';
import type { DiskTrouble } from '../actors/disk/in-background.ts';
import { endOrphans } from '../actors/process/end-orphans.ts';
import { ProcessRegistry } from '../actors/process/process-registry.ts';
import { RunnerMark } from '../actors/process/runner-mark.ts';
import { StateFile } from './config/state-file.ts';
import { tellDiskTrouble } from './disk-trouble.ts';

/** What Corral keeps in its data folder. */
export interface KeptState {
  /** Where the folder really is. */
  readonly folder: string;
  readonly registry: ProcessRegistry;
  readonly learned: StateFile;
  readonly trouble: DiskTrouble;
}

/** Opens the data folder, and ends what an earlier Corral has left behind. Whatever lies there, Corral can start. */
export async function openState(dataFolder: string, log: Logger): Promise<KeptState> {
  const onNote = (note: string): void => log.warn({ event: 'state' }, note);
  const trouble = tellDiskTrouble(log);
  const folder = openDataFolder(dataFolder, onNote);
  const records = join(folder, 'processes');
  const mark = new RunnerMark(resolve(dataFolder));
  for (const { pid, runnerId, hasEnded } of await endOrphans(records, mark, onNote))
    log.warn(
      { event: hasEnded ? 'orphan.ended' : 'orphan.left', pid, runnerId },
      `${hasEnded ? 'ended' : 'could not end'} a process that an earlier Corral had left behind`,
    );
  return {
    folder,
    registry: new ProcessRegistry(records, { mark, trouble, onNote }),
    learned: new StateFile(join(folder, 'learned.json'), { trouble, onNote }),
    trouble,
  };
}
