import { timeAt, type Scale, type TimelineData, type TimelineDecision } from 'corral/timeline';
import type { RefObject, TargetedEvent } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { allOf, lastOf, moved, stepped, zoomed, type TimeWindow } from './time-window.ts';

interface Control {
  readonly scroller: RefObject<HTMLElement | null>;
  readonly scale: Scale;
  readonly window: TimeWindow;
  readonly data: TimelineData;
  readonly chosen: TimelineDecision | null;
  readonly setWindow: (window: TimeWindow) => void;
  readonly setAbout: (text: string) => void;
  readonly choose: (decision: TimelineDecision | undefined) => void;
  readonly onMoment: ((ms: number) => void) | undefined;
}

type On<E extends Event> = (event: TargetedEvent<HTMLElement, E>) => void;

interface Gestures {
  readonly onKeyDown: On<KeyboardEvent>;
  readonly onPointerDown: On<PointerEvent>;
  readonly onPointerMove: On<PointerEvent>;
  readonly onPointerUp: On<PointerEvent>;
  readonly onPointerLeave: () => void;
  readonly onDblClick: On<MouseEvent>;
}

/** Moving in time: by dragging, by the wheel (with Ctrl it zooms), by keys. */
export function useGestures(control: Control): Gestures {
  const drag = useRef<{ readonly x: number; readonly window: TimeWindow } | null>(null);
  const now = useRef(control);
  now.current = control;
  useWheel(now);
  return {
    onKeyDown: (event) => {
      const next = keyed(event, now.current);
      if (!next) return;
      event.preventDefault();
      next();
    },
    onPointerDown: (event) => {
      if (event.button !== 0 || event.pointerType === 'touch') return;
      drag.current = { x: event.clientX, window: now.current.window };
      event.currentTarget.setPointerCapture(event.pointerId);
    },
    onPointerMove: ({ clientX, target }) => {
      const { scale, data, setWindow, setAbout } = now.current;
      if (!drag.current) return setAbout(aboutOf(target));
      const msPerPx = (scale.toMs - scale.fromMs) / (scale.width - scale.left);
      const dx = clientX - drag.current.x;
      if (Math.abs(dx) > 2) setWindow(moved(drag.current.window, -dx * msPerPx, data));
    },
    onPointerUp: ({ clientX, target }) => {
      const isClick = drag.current !== null && Math.abs(clientX - drag.current.x) <= 2;
      drag.current = null;
      const index = target instanceof Element ? target.getAttribute('data-decision') : null;
      if (isClick && index !== null) now.current.choose(now.current.data.decisions[Number(index)]);
    },
    onPointerLeave: () => now.current.setAbout(''),
    onDblClick: ({ clientX, currentTarget }) => {
      const { scale, onMoment } = now.current;
      const x = clientX - currentTarget.getBoundingClientRect().left;
      if (x > scale.left) onMoment?.(timeAt(scale, x));
    },
  };
}

/** What a mark says of itself. */
const aboutOf = (target: EventTarget | null): string =>
  target instanceof Element ? (target.querySelector(':scope > title')?.textContent ?? '') : '';

/** What a key does; null for those that are none of ours. */
function keyed({ key, shiftKey }: KeyboardEvent, control: Control): (() => void) | null {
  const { window, data, chosen, setWindow, choose, onMoment } = control;
  const middle = (window.fromMs + window.toMs) / 2;
  switch (key) {
    case 'ArrowLeft':
      return shiftKey ? () => setWindow(stepped(window, -1, data)) : () => choose(neighbour(control, -1));
    case 'ArrowRight':
      return shiftKey ? () => setWindow(stepped(window, 1, data)) : () => choose(neighbour(control, 1));
    case '+':
    case '=':
      return () => setWindow(zoomed(window, 0.5, chosen?.atMs ?? middle, data));
    case '-':
      return () => setWindow(zoomed(window, 2, chosen?.atMs ?? middle, data));
    case 'Home':
      return () => setWindow(allOf(data, false));
    case 'End':
      return () => setWindow(lastOf(data, window.toMs - window.fromMs));
    case 'Enter':
      return chosen && onMoment ? () => onMoment(chosen.atMs) : null;
    default:
      return null;
  }
}

/** The decision beside the chosen one; without one, the nearest at that end of the window. */
function neighbour(
  { data: { decisions }, chosen, window }: Control,
  direction: -1 | 1,
): TimelineDecision | undefined {
  if (chosen) return decisions[decisions.indexOf(chosen) + direction] ?? chosen;
  return direction === 1
    ? decisions.find(({ atMs }) => atMs >= window.fromMs)
    : decisions.findLast(({ atMs }) => atMs <= window.toMs);
}

/** Not passive, or the page would zoom as well. */
function useWheel(now: { readonly current: Control }): void {
  const { scroller } = now.current;
  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const onWheel = (event: WheelEvent): void => {
      const { scale, window, data, setWindow } = now.current;
      const isZoom = event.ctrlKey || event.metaKey;
      if (!isZoom && Math.abs(event.deltaX) <= Math.abs(event.deltaY)) return;
      event.preventDefault();
      const aroundMs = timeAt(scale, event.clientX - element.getBoundingClientRect().left);
      const msPerPx = (scale.toMs - scale.fromMs) / (scale.width - scale.left);
      setWindow(
        isZoom
          ? zoomed({ ...window, follows: false }, Math.exp(event.deltaY / 300), aroundMs, data)
          : moved(window, event.deltaX * msPerPx, data),
      );
    };
    element.addEventListener('wheel', onWheel, { passive: false });
    return () => element.removeEventListener('wheel', onWheel);
  }, [now, scroller]);
}
