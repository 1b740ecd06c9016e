import { join } from 'node:path';
import type { Logger } from 'pino';
import { openDataFolder } from '../actors/disk/data-folder.ts';
import type { DiskTrouble } from '../actors/disk/in-background.ts';
import { endOrphans } from '../actors/process/end-orphans.ts';
import { ProcessRegistry } from '../actors/process/process-registry.ts';
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
  for (const { pid, runnerId, hasEnded } of await endOrphans(records, onNote))
    log.warn(
      { event: hasEnded ? 'orphan.ended' : 'orphan.left', pid, runnerId },
      `${hasEnded ? 'ended' : 'could not end'} a process that an earlier Corral had left behind`,
    );
  return {
    folder,
    registry: new ProcessRegistry(records, { trouble, onNote }),
    learned: new StateFile(join(folder, 'learned.json'), { trouble, onNote }),
    trouble,
  };
}
