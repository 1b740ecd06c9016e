// What `corral/timeline` offers: one drawing for the page and for reports.
export { AXIS, drawAxis, drawGrid, drawTimeline } from './draw-timeline.ts';
export { drawRow, type TimeFormat } from './draw-row.ts';
export { formatTime } from '../simulation/scenario/format-time.ts';
export { timeAt, xOf, type Scale } from './scale.ts';
export type * from './timeline-data.ts';
export { timelineOfSimulation } from './timeline-of-simulation.ts';
export { heightOf, timelineRows, type TimelineRow } from './timeline-rows.ts';
export { timelineStyle } from './timeline-style.ts';
