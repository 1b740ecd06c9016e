import { effect } from '@preact/signals';
import type { TimelineData } from 'corral/timeline';
import { useEffect, useMemo } from 'preact/hooks';
import { live, serverNowMs } from '../../live/live.ts';
import { buildFromTape } from './build-from-tape.ts';

/** The timeline until now, from what the page has kept, and growing from then on. */
export function useLiveTimeline(): TimelineData {
  const builder = useMemo(() => buildFromTape().builder, []);
  useEffect(
    () =>
      effect(() => {
        const { runners, queue, devices, decisions } = live;
        builder.look(serverNowMs(), {
          runners: runners.value,
          queue: queue.value,
          devices: devices.value,
          decisions: decisions.value,
        });
      }),
    [builder],
  );
  const nowMs = live.nowMs.value;
  return useMemo(() => {
    builder.forget(nowMs);
    return builder.data(nowMs);
  }, [builder, nowMs]);
}
