/** A window of time on a drawing: times in ms, places in px. */
export interface Scale {
  readonly fromMs: number;
  readonly toMs: number;
  /** Width of the column of names. */
  readonly left: number;
  /** Width of it all. */
  readonly width: number;
}

/** The place of a time; outside of the window it is outside of the drawing. */
export const xOf = ({ fromMs, toMs, left, width }: Scale, ms: number): number =>
  left + ((width - left) * (ms - fromMs)) / Math.max(1, toMs - fromMs);

/** The time at a place. */
export const timeAt = ({ fromMs, toMs, left, width }: Scale, x: number): number =>
  fromMs + ((x - left) / Math.max(1, width - left)) * (toMs - fromMs);

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
/** Distances between marks that people can reckon with, in ms. */
const STEPS = [
  [1, 2, 5, 10, 20, 50, 100, 200, 500],
  [1, 2, 5, 10, 15, 30].map((seconds) => seconds * SECOND),
  [1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE),
  [1, 2, 3, 6, 12, 24, 48, 168, 720].map((hours) => hours * HOUR),
].flat();
/** Room that a mark with its text takes, in px. */
const MARK_WIDTH = 84;

/** Round times within the window, as many as have room, in ms. */
export function ticksOf({ fromMs, toMs, left, width }: Scale): number[] {
  const most = Math.max(1, Math.floor((width - left) / MARK_WIDTH));
  const step = STEPS.find((ms) => (toMs - fromMs) / ms <= most) ?? 720 * HOUR;
  const ticks: number[] = [];
  for (let ms = Math.ceil(fromMs / step) * step; ms <= toMs && ticks.length <= most; ms += step)
    ticks.push(ms);
  return ticks;
}
