import {
  AXIS,
  drawAxis,
  drawGrid,
  drawRow,
  heightOf,
  timeAt,
  timelineRows,
  timelineStyle,
  xOf,
  type Scale,
  type TimeFormat,
  type TimelineData,
  type TimelineDecision,
} from 'corral/timeline';
import { useMemo, useRef, useState } from 'preact/hooks';
import { allOf, lastOf, moved, onward, zoomed, type TimeWindow } from './time-window.ts';
import './timeline-chart.css';
import { useGestures } from './use-gestures.ts';
import { useSize } from './use-size.ts';

interface Props {
  readonly name: string;
  readonly data: TimelineData;
  readonly format: TimeFormat;
  /** Whether more is still to come. */
  readonly isLive: boolean;
  /** A moment that the page shows, in ms; null when it shows none in particular. */
  readonly momentMs?: number | null;
  /** Told a moment that is to be looked at. */
  readonly onMoment?: (ms: number) => void;
}

/** Windows that can be chosen, in ms. */
const CHOICES = [
  { name: '30 s', ms: 30_000 },
  { name: '2 min', ms: 120_000 },
  { name: '10 min', ms: 600_000 },
] as const;
/** Rows that are drawn beyond those in sight, in px. */
const BEYOND = 120;

/** What happened over time, to be moved in and looked at: the drawing of `corral/timeline`, as much of it as is in sight. */
export function TimelineChart({ name, data, format, isLive, momentMs = null, onMoment }: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  const [picked, setPicked] = useState<TimeWindow | null>(null);
  const [about, setAbout] = useState('');
  const [chosen, setChosen] = useState<TimelineDecision | null>(null);
  const size = useSize(scroller);
  const window = picked ? onward(picked, data) : isLive ? lastOf(data, 120_000) : allOf(data, false);
  const scale: Scale = { ...window, left: size.width < 560 ? 72 : 132, width: Math.max(200, size.width) };
  const rows = useMemo(() => timelineRows(data), [data]);
  const height = heightOf(rows);
  const inSight = rows.filter(
    ({ top, height: tall }) => top + tall > size.top - BEYOND && top < size.top + size.height + BEYOND,
  );
  const drawn = drawGrid(scale, height) + inSight.map((row) => drawRow(row, scale, format)).join('');
  const choose = (decision: TimelineDecision | undefined): void => {
    if (!decision) return;
    const { atMs, kind, model, reason } = decision;
    setChosen(decision);
    setAbout(`${format.moment(atMs)} ${kind} ${model}: ${reason}`);
    const length = window.toMs - window.fromMs;
    if (atMs < window.fromMs || atMs > window.toMs)
      setPicked(moved(window, atMs - length / 2 - window.fromMs, data));
  };
  const gestures = useGestures({
    scroller,
    scale,
    window,
    data,
    chosen,
    setWindow: setPicked,
    setAbout,
    choose,
    onMoment,
  });
  return (
    <section class="timeline-chart" aria-label={name}>
      <style>{timelineStyle}</style>
      <Tools window={window} data={data} isLive={isLive} onChange={setPicked} />
      <svg class="timeline timeline-axis" width={scale.width} height={AXIS} aria-hidden="true">
        <g dangerouslySetInnerHTML={{ __html: drawAxis(scale, format) }} />
      </svg>
      <div
        ref={scroller}
        class="timeline-scroller"
        tabIndex={0}
        role="group"
        aria-label={`${name}. Left and right arrow: decisions. With Shift: earlier, later. Plus and minus: nearer, farther. Home: all. End: the latest.`}
        {...gestures}
      >
        <svg class="timeline" width={scale.width} height={height} aria-hidden="true">
          <g dangerouslySetInnerHTML={{ __html: drawn }} />
          {chosen && <circle class="chosen" cx={xOf(scale, chosen.atMs)} cy={9} r={7} />}
          {momentMs !== null && (
            <line class="moment" x1={xOf(scale, momentMs)} x2={xOf(scale, momentMs)} y1={0} y2={height} />
          )}
        </svg>
      </div>
      <p class="timeline-about" aria-live="polite">
        {about || `${format.moment(timeAt(scale, scale.left))} – ${format.moment(window.toMs)}`}
      </p>
    </section>
  );
}

interface ToolsProps {
  readonly window: TimeWindow;
  readonly data: TimelineData;
  readonly isLive: boolean;
  readonly onChange: (window: TimeWindow) => void;
}

function Tools({ window, data, isLive, onChange }: ToolsProps) {
  const length = window.toMs - window.fromMs;
  const middle = (window.fromMs + window.toMs) / 2;
  return (
    <div class="timeline-tools" role="toolbar" aria-label="Window of time">
      {isLive &&
        CHOICES.map(({ name, ms }) => (
          <button
            key={ms}
            type="button"
            aria-pressed={window.follows && Math.abs(length - ms) < 1}
            onClick={() => onChange(lastOf(data, ms))}
          >
            {name}
          </button>
        ))}
      <button type="button" onClick={() => onChange(allOf(data, isLive))}>
        All
      </button>
      <button type="button" aria-label="Nearer" onClick={() => onChange(zoomed(window, 0.5, middle, data))}>
        +
      </button>
      <button type="button" aria-label="Farther" onClick={() => onChange(zoomed(window, 2, middle, data))}>
        −
      </button>
      {isLive && (
        <button
          type="button"
          aria-pressed={window.follows}
          onClick={() => onChange(window.follows ? { ...window, follows: false } : lastOf(data, length))}
        >
          Follow
        </button>
      )}
      <Legend />
    </div>
  );
}

const STATES = ['loading', 'ready', 'idle', 'expiring', 'unloading', 'vram-recovering'];

const Legend = () => (
  <span class="timeline-legend">
    {STATES.map((state) => (
      <span key={state}>
        <i style={{ background: `var(--${state}-fill)` }} />
        {state}
      </span>
    ))}
  </span>
);
