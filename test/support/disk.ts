import type { DiskTrouble } from '../../actors/disk/in-background.ts';

export interface DiskWatch {
  readonly trouble: DiskTrouble;
  readonly onNote: (note: string) => void;
  /** What was told, in order. */
  readonly failed: string[];
  readonly works: string[];
  readonly notes: string[];
}

/** Hears what is told of files that cannot be written or read. */
export function watchDisk(): DiskWatch {
  const failed: string[] = [];
  const works: string[] = [];
  const notes: string[] = [];
  return {
    trouble: { failed: (path) => failed.push(path), works: (path) => works.push(path) },
    onNote: (note) => notes.push(note),
    failed,
    works,
    notes,
  };
}
