import type { RefObject } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Box } from './drawing.ts';
import { fit, lookAt, move, zoom, type Size, type Viewport } from './viewport.ts';

export interface ViewportControl {
  readonly view: Viewport | null;
  /** Goes where the lit state is, until somebody looks elsewhere. */
  readonly follows: boolean;
  readonly fit: () => void;
  readonly zoomBy: (factor: number) => void;
  readonly follow: () => void;
}

/** Step of an arrow key, in px. */
const STEP = 60;
const ZOOM_STEP = 1.25;

/** Moves a drawing in its window: by pointer, wheel, two fingers, keys, and with what is lit. */
export function useViewport(
  frame: RefObject<HTMLElement | null>,
  drawing: Size | null,
  focus: Box | null,
): ViewportControl {
  const [view, setView] = useState<Viewport | null>(null);
  const [follows, setFollows] = useState(true);
  const [size, setSize] = useState<Size | null>(null);
  const latest = useRef({ view, size, drawing });
  latest.current = { view, size, drawing };

  const control = useMemo(() => {
    const by = (change: (view: Viewport, size: Size) => Viewport): void => {
      const { view: now, size: room } = latest.current;
      if (!now || !room) return;
      latest.current.view = change(now, room);
      setFollows(false);
      setView(latest.current.view);
    };
    return {
      by,
      fit: () => by((before, room) => (latest.current.drawing ? fit(latest.current.drawing, room) : before)),
      zoomBy: (factor: number) =>
        by((before, { width, height }) => zoom(before, factor, width / 2, height / 2)),
      follow: () => setFollows(true),
    };
  }, []);

  useEffect(() => {
    const element = frame.current;
    if (!element) return;
    const watch = new ResizeObserver(() =>
      setSize({ width: element.clientWidth, height: element.clientHeight }),
    );
    watch.observe(element);
    const stop = listen(element, control);
    return () => {
      watch.disconnect();
      stop();
    };
  }, [frame, control]);

  useEffect(() => {
    if (!drawing || !size || !follows) return;
    setView((before) => (focus ? lookAt(focus, drawing, size, before) : fit(drawing, size)));
  }, [drawing, size, follows, focus]);

  return { view, follows, ...control };
}

interface Control {
  readonly by: (change: (view: Viewport, size: Size) => Viewport) => void;
  readonly fit: () => void;
  readonly zoomBy: (factor: number) => void;
  readonly follow: () => void;
}

function listen(element: HTMLElement, { by, fit: fitAll, zoomBy, follow }: Control): () => void {
  const pointers = new Map<number, { x: number; y: number }>();
  const ending = new AbortController();
  const { signal } = ending;
  const at = (event: MouseEvent): { x: number; y: number } => {
    const { left, top } = element.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  };
  const drag = (event: PointerEvent): void => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    const now = at(event);
    const [other] = [...pointers].filter(([id]) => id !== event.pointerId).map(([, point]) => point);
    pointers.set(event.pointerId, now);
    if (!other) return by((view) => move(view, now.x - before.x, now.y - before.y));
    const factor =
      Math.hypot(now.x - other.x, now.y - other.y) / Math.hypot(before.x - other.x, before.y - other.y);
    by((view) => zoom(view, factor, (now.x + other.x) / 2, (now.y + other.y) / 2));
  };
  const release = (event: PointerEvent): void => void pointers.delete(event.pointerId);
  const onPress = (event: PointerEvent): void => {
    if ((event.target as Element).closest('button')) return;
    element.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, at(event));
  };
  const onWheel = (event: WheelEvent): void => {
    event.preventDefault();
    const { x, y } = at(event);
    if (event.ctrlKey || event.metaKey) by((view) => zoom(view, Math.exp(-event.deltaY / 200), x, y));
    else by((view) => move(view, -event.deltaX, -event.deltaY));
  };
  const onKey = (event: KeyboardEvent): void => {
    const act = keys[event.key];
    if (!act || event.target !== element || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  };
  const keys: Readonly<Record<string, () => void>> = {
    ArrowLeft: () => by((view) => move(view, STEP, 0)),
    ArrowRight: () => by((view) => move(view, -STEP, 0)),
    ArrowUp: () => by((view) => move(view, 0, STEP)),
    ArrowDown: () => by((view) => move(view, 0, -STEP)),
    '+': () => zoomBy(ZOOM_STEP),
    '=': () => zoomBy(ZOOM_STEP),
    '-': () => zoomBy(1 / ZOOM_STEP),
    '0': fitAll,
    f: follow,
  };
  element.addEventListener('pointerdown', onPress, { signal });
  element.addEventListener('pointermove', drag, { signal });
  element.addEventListener('pointerup', release, { signal });
  element.addEventListener('pointercancel', release, { signal });
  element.addEventListener('wheel', onWheel, { signal, passive: false });
  element.addEventListener('keydown', onKey, { signal });
  return () => ending.abort();
}
