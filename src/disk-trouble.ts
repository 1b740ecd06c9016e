import type { Logger } from 'pino';
import type { DiskTrouble } from '../actors/disk/in-background.ts';
import { systemReason } from './system-reason.ts';

/** Tells the log of files that cannot be written: once for each reason, and once when all can be written again. */
export function tellDiskTrouble(log: Logger): DiskTrouble {
  const failing = new Map<string, string>();
  return {
    failed(path, error) {
      const reason = systemReason(error);
      const level = [...failing.values()].includes(reason) ? 'debug' : 'warn';
      failing.set(path, reason);
      log[level](
        { event: 'disk.failed', path },
        `${path} cannot be written: ${reason}. Models are served on; what Corral would remember is written when it can be.`,
      );
    },
    works(path) {
      failing.delete(path);
      const level = failing.size === 0 ? 'info' : 'debug';
      log[level]({ event: 'disk.works', path }, `${path} can be written again`);
    },
  };
}
