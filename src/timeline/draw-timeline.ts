import { drawRow, type TimeFormat } from './draw-row.ts';
import { round } from './marks.ts';
import { ticksOf, xOf, type Scale } from './scale.ts';
import { heightOf, type TimelineRow } from './timeline-rows.ts';

/** Height of the marks of time, in px. */
export const AXIS = 20;

/** Round times and their names, as SVG `AXIS` high. */
export const drawAxis = (scale: Scale, { moment }: TimeFormat): string =>
  ticksOf(scale)
    .map((ms) => {
      const x = round(xOf(scale, ms));
      const anchor = x < scale.left + 30 ? 'start' : x > scale.width - 30 ? 'end' : 'middle';
      return `<text class="tl-dim" x="${x}" y="13" text-anchor="${anchor}">${moment(ms)}</text>`;
    })
    .join('');

/** Lines down from the marks of time. */
export const drawGrid = (scale: Scale, height: number): string =>
  ticksOf(scale)
    .map(
      (ms) =>
        `<line class="tl-grid" x1="${round(xOf(scale, ms))}" x2="${round(xOf(scale, ms))}" y1="0" y2="${height}"/>`,
    )
    .join('');

/** A whole timeline as one SVG that stands by itself, and fills the width that it is given. Style it with `timelineStyle`. */
export function drawTimeline(rows: readonly TimelineRow[], scale: Scale, format: TimeFormat): string {
  const height = heightOf(rows);
  const body = rows.map((row) => drawRow(row, scale, format)).join('');
  return `<svg class="timeline" width="100%" viewBox="0 0 ${scale.width} ${height + AXIS}" role="img" aria-label="what happened, over time">${drawAxis(scale, format)}<g transform="translate(0 ${AXIS})">${drawGrid(scale, height)}${body}</g></svg>`;
}
