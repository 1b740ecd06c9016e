import type { Box } from './drawing.ts';

/** How a drawing is looked at: moved by `x` and `y` px, and enlarged by `scale`. */
export interface Viewport {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

const LEAST = 0.1;
const MOST = 3;
/** Texts of 11 px are readable from here on. */
const READABLE = 0.8;
const MARGIN = 12;

const clamp = (value: number, least: number, most: number): number => Math.min(most, Math.max(least, value));

/** All of a drawing, never larger than it is. */
export function fit(drawing: Size, window: Size): Viewport {
  const scale = clamp(
    Math.min((window.width - 2 * MARGIN) / drawing.width, (window.height - 2 * MARGIN) / drawing.height),
    LEAST,
    1,
  );
  return {
    scale,
    x: (window.width - drawing.width * scale) / 2,
    y: Math.max(MARGIN, (window.height - drawing.height * scale) / 2),
  };
}

/** As near as before, or near enough to read, with a box in the middle; the drawing's edges stay outside where they can. */
export function lookAt(box: Box, drawing: Size, window: Size, before: Viewport | null): Viewport {
  const whole = fit(drawing, window);
  if (whole.scale >= READABLE) return whole;
  const scale = Math.max(before?.scale ?? 0, READABLE);
  const along = (at: number, length: number, room: number): number => {
    const least = room - length * scale - MARGIN;
    if (least > MARGIN) return (room - length * scale) / 2;
    return clamp(room / 2 - at * scale, least, MARGIN);
  };
  return {
    scale,
    x: along(box.x + box.width / 2, drawing.width, window.width),
    y: along(box.y + box.height / 2, drawing.height, window.height),
  };
}

/** Nearer or further, with the point at `x`, `y` of the window where it was. */
export function zoom(view: Viewport, factor: number, x: number, y: number): Viewport {
  const scale = clamp(view.scale * factor, LEAST, MOST);
  const change = scale / view.scale;
  return { scale, x: x - (x - view.x) * change, y: y - (y - view.y) * change };
}

export const move = (view: Viewport, dx: number, dy: number): Viewport => ({
  ...view,
  x: view.x + dx,
  y: view.y + dy,
});
