import { TimelineChart } from '../../timeline/timeline-chart.tsx';
import { opened, seek } from '../../history/player.ts';
import { past } from '../../live/shown.ts';
import { dayFormat, virtualFormat } from '../../timeline/time-formats.ts';
import { useLiveTimeline } from './use-live-timeline.ts';
import { useFileTimeline } from './use-file-timeline.ts';

/** What happened over time: now, or in the file that is open. */
export const Timeline = () => (
  <>
    <h1 class="unseen">Timeline</h1>
    {opened.value ? <OfFile /> : <Live />}
  </>
);

function Live() {
  const data = useLiveTimeline();
  const momentMs = past.value?.atMs ?? null;
  return (
    <TimelineChart
      name="Timeline"
      data={data}
      format={dayFormat}
      isLive
      momentMs={momentMs}
      onMoment={seek}
    />
  );
}

function OfFile() {
  const data = useFileTimeline();
  const format = new Date(data.toMs).getFullYear() < 2000 ? virtualFormat : dayFormat;
  const momentMs = past.value?.atMs ?? null;
  return (
    <TimelineChart
      key={opened.value?.title}
      name="Timeline"
      data={data}
      format={format}
      isLive={false}
      momentMs={momentMs}
      onMoment={seek}
    />
  );
}
