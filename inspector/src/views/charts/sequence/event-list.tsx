import { memo } from 'preact/compat';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { ActorEvent } from '../../../live/picture.ts';
import { isSameEvent, lanesOf, shortType, type Lane } from './lanes.ts';

/** Of one event, in px. */
const ROW = 22;
const TIME = 66;
const WIDEST = 92;
const NARROWEST = 26;
/** Room for the words at the last lane. */
const TAIL = 190;
/** Drawn beyond what is in sight. */
const SPARE = 8;

interface Props {
  /** The actor that they were filtered by; empty for all. */
  readonly of: string;
  readonly events: readonly ActorEvent[];
  readonly selected: ActorEvent | null;
  readonly onSelect: (event: ActorEvent | null) => void;
}

/** Events as arrows between lifelines. Only those in sight are there; at its end it stays at its end. */
export function EventList({ of, events, selected, onSelect }: Props) {
  const { frame, top, size, onScroll } = useWindow(events);
  const lanes = useLanes(events, of);
  const laneWidth = Math.max(
    NARROWEST,
    Math.min(WIDEST, (size.width - TIME - TAIL) / Math.max(1, lanes.length - 1)),
  );
  const laneOf = useMemo(() => new Map(lanes.map(({ actor }, i) => [actor, i])), [lanes]);
  const width = TIME + laneWidth * lanes.length + TAIL;

  const selectedAt = selected ? events.findLastIndex((event) => isSameEvent(event, selected)) : -1;
  const onKeyDown = (event: KeyboardEvent): void => {
    const to = nextIndex(event.key, selectedAt, events.length);
    if (event.key === 'Escape') onSelect(null);
    if (to === null) return;
    event.preventDefault();
    onSelect(events[to] ?? null);
    showRow(frame.current, to);
  };

  const first = Math.max(0, Math.floor(top / ROW) - SPARE);
  const last = Math.min(events.length, Math.ceil((top + size.height) / ROW) + SPARE);
  return (
    <div
      ref={frame}
      class="events"
      role="listbox"
      tabIndex={0}
      aria-label="Events, oldest first"
      aria-activedescendant={selectedAt >= first && selectedAt < last ? `event-${selectedAt}` : undefined}
      onScroll={onScroll}
      onKeyDown={onKeyDown}
    >
      <LaneNames lanes={lanes} laneWidth={laneWidth} width={width} />
      <div class="events-all" role="presentation" style={{ height: events.length * ROW, width }}>
        <Lifelines lanes={lanes} laneWidth={laneWidth} />
        {events.slice(first, last).map((event, i) => (
          <Row
            key={first + i}
            event={event}
            index={first + i}
            from={laneX(laneOf.get(event.from), laneWidth)}
            to={laneX(laneOf.get(event.to), laneWidth)}
            isSelected={first + i === selectedAt}
            onSelect={onSelect}
          />
        ))}
      </div>
    </div>
  );
}

/** Another actor has lifelines of its own: those of the one before would only take room. */
function useLanes(events: readonly ActorEvent[], of: string): readonly Lane[] {
  const kept = useRef<{ readonly of: string; readonly lanes: readonly Lane[] }>({ of, lanes: [] });
  return useMemo(() => {
    const before = kept.current.of === of ? kept.current.lanes : [];
    kept.current = { of, lanes: lanesOf(events, before) };
    return kept.current.lanes;
  }, [events, of]);
}

/** What is in sight of the list. It stays at its end, if it is there when more comes. */
function useWindow(events: readonly unknown[]) {
  const frame = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [size, setSize] = useState({ width: 0, height: 0 });
  const isAtEnd = useRef(true);
  useEffect(() => {
    const element = frame.current;
    if (!element) return;
    const watch = new ResizeObserver(() =>
      setSize({ width: element.clientWidth, height: element.clientHeight }),
    );
    watch.observe(element);
    return () => watch.disconnect();
  }, []);
  useEffect(() => {
    const element = frame.current;
    if (!element || !isAtEnd.current) return;
    element.scrollTop = element.scrollHeight;
    setTop(element.scrollTop);
  }, [events.length, size]);
  const onScroll = (): void => {
    const element = frame.current;
    if (!element) return;
    isAtEnd.current = element.scrollTop + element.clientHeight >= element.scrollHeight - ROW;
    setTop(element.scrollTop);
  };
  return { frame, top, size, onScroll };
}

const laneX = (index = 0, width: number): number => TIME + width * (index + 0.5);

interface LanesProps {
  readonly lanes: readonly Lane[];
  readonly laneWidth: number;
}

const LaneNames = memo(({ lanes, laneWidth, width }: LanesProps & { readonly width: number }) => (
  <div class="events-head" style={{ width }} aria-hidden="true">
    {lanes.map(({ actor, title }, i) => (
      <span
        key={actor}
        title={actor ?? 'outside'}
        style={{ left: TIME + laneWidth * (i + 0.5), width: laneWidth - 4 }}
      >
        {title}
      </span>
    ))}
  </div>
));

const Lifelines = memo(({ lanes, laneWidth }: LanesProps) => (
  <>
    {lanes.map(({ actor }, i) => (
      <i key={actor} class="lifeline" style={{ left: laneX(i, laneWidth) }} />
    ))}
  </>
));

/** The innermost state that was entered; of regions side by side, those that are others than before. */
const whereTo = (before: string | null, after: string): string => {
  const old = new Set(before?.split(' '));
  const entered = after.split(' ').filter((path) => !old.has(path));
  return entered.map((path) => path.split('.').at(-1) ?? '').join(', ');
};

interface RowProps {
  readonly event: ActorEvent;
  readonly index: number;
  /** Where the two lifelines are, in px. */
  readonly from: number;
  readonly to: number;
  readonly isSelected: boolean;
  readonly onSelect: (event: ActorEvent) => void;
}

function Row({ event, index, from, to, isSelected, onSelect }: RowProps) {
  const { before, after, took } = event.effect;
  const isMove = after !== null && after !== before;
  const [left, right] = [Math.min(from, to), Math.max(from, to)];
  return (
    <div
      id={`event-${index}`}
      class="event"
      role="option"
      aria-selected={isSelected}
      style={{ top: index * ROW }}
      onClick={() => onSelect(event)}
    >
      <time dateTime={event.at}>{event.at.slice(14, 23)}</time>
      <span class="unseen">{` ${event.from ?? 'outside'} to ${event.to}: `}</span>
      <i
        class="event-line"
        data-way={from === to ? 'self' : from < to ? 'right' : 'left'}
        style={{ left, width: from === to ? 12 : right - left }}
      />
      <span class="event-words" style={{ left: (from === to ? right + 12 : right) + 8 }}>
        {shortType(event.type)}
        {isMove && <b> → {whereTo(before, after)}</b>}
        {after !== null && took.length === 0 && event.type !== 'xstate.init' && <em> ignored</em>}
      </span>
    </div>
  );
}

function nextIndex(key: string, at: number, length: number): number | null {
  if (length === 0) return null;
  if (key === 'ArrowDown') return Math.min(length - 1, at + 1);
  if (key === 'ArrowUp') return at === -1 ? length - 1 : Math.max(0, at - 1);
  if (key === 'Home') return 0;
  return key === 'End' ? length - 1 : null;
}

/** Scrolls no more than is needed; the head lies over the top. */
function showRow(element: HTMLDivElement | null, index: number): void {
  if (!element) return;
  const top = index * ROW;
  const room = element.clientHeight - 2 * ROW;
  if (top < element.scrollTop) element.scrollTop = top;
  else if (top > element.scrollTop + room) element.scrollTop = top - room;
}
