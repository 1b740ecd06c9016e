import type { Moment } from './noting-program.ts';

/** What one change of models took beside what its processes took, in ms. */
export interface Gap {
  /** From the end of the one process to the start of the next. */
  readonly exitToStartMs: number;
  /** From when the next one was ready to the first byte for whoever waited for it. */
  readonly readyToFirstByteMs: number;
}

/** The gaps between one process and the next; `firstBytes` are in ms since 1970, one for each process, in order. */
export function gapsOf(moments: readonly Moment[], firstBytes: readonly number[]): Gap[] {
  const times = (what: Moment['what']): number[] =>
    moments.flatMap((moment) => (moment.what === what ? moment.atMs : []));
  const [starts, readies, exits] = [times('start'), times('ready'), times('exit')];
  return starts.slice(1).flatMap((startMs, i) => {
    const [exitMs, readyMs, firstByteMs] = [exits[i], readies[i + 1], firstBytes[i + 1]];
    if (exitMs === undefined || readyMs === undefined || firstByteMs === undefined) return [];
    return { exitToStartMs: startMs - exitMs, readyToFirstByteMs: firstByteMs - readyMs };
  });
}
