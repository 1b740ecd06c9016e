import type { TimelineData } from 'corral/timeline';
import { useMemo } from 'preact/hooks';
import { opened } from '../../history/player.ts';
import { buildFromTape } from './build-from-tape.ts';

/** The timeline of the file that is open. */
export function useFileTimeline(): TimelineData {
  const file = opened.value;
  return useMemo(() => {
    const { builder, toMs } = buildFromTape();
    return builder.data(toMs);
  }, [file]);
}
