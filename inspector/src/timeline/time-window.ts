/** A part of a timeline that is looked at, in ms; `follows` when its end goes on with what is known. */
export interface TimeWindow {
  readonly fromMs: number;
  readonly toMs: number;
  readonly follows: boolean;
}

/** What is known of a timeline, in ms. */
export interface Known {
  readonly fromMs: number;
  readonly toMs: number;
}

/** No window is shorter, in ms. */
const SHORTEST = 50;
/** Of a window that goes by this much of it per step. */
const STEP = 0.2;

/** The last so many ms, going on with what is known. */
export const lastOf = ({ toMs }: Known, ms: number): TimeWindow => ({
  fromMs: toMs - ms,
  toMs,
  follows: true,
});

/** All that is known. */
export const allOf = ({ fromMs, toMs }: Known, follows: boolean): TimeWindow => ({ fromMs, toMs, follows });

/** The same window when more has become known. */
export const onward = (window: TimeWindow, known: Known): TimeWindow =>
  window.follows ? lastOf(known, window.toMs - window.fromMs) : window;

/** Moved by so many ms, as far as something is known. It stays where it is put. */
export function moved({ fromMs, toMs }: TimeWindow, ms: number, known: Known): TimeWindow {
  const length = toMs - fromMs;
  const start = Math.max(
    Math.min(known.fromMs, known.toMs - length),
    Math.min(fromMs + ms, known.toMs - length),
  );
  return { fromMs: start, toMs: start + length, follows: false };
}

/** Moved by a step: -1 back, 1 on. */
export const stepped = (window: TimeWindow, direction: -1 | 1, known: Known): TimeWindow =>
  moved(window, direction * STEP * (window.toMs - window.fromMs), known);

/** So many times as long, with a time staying in its place. One that follows keeps its end, and goes on following. */
export function zoomed(window: TimeWindow, times: number, aroundMs: number, known: Known): TimeWindow {
  const { fromMs, toMs, follows } = window;
  const most = Math.max(
    SHORTEST,
    known.toMs - known.fromMs,
    toMs - fromMs < known.toMs - known.fromMs ? 0 : toMs - fromMs,
  );
  const length = Math.min(most, Math.max(SHORTEST, (toMs - fromMs) * times));
  if (follows) return lastOf(known, length);
  const share = (aroundMs - fromMs) / (toMs - fromMs);
  const start = aroundMs - share * length;
  return moved({ fromMs: start, toMs: start + length, follows }, 0, known);
}
