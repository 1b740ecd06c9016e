import { formatTime } from '../scenario/format-time.ts';
import type { ExpectationFailure, RequestResult, SimulationResult } from '../scenario/result.ts';
import { escapeHtml } from '../../escape-html.ts';
import { drawTimeline } from '../../timeline/draw-timeline.ts';
import { timelineOfSimulation } from '../../timeline/timeline-of-simulation.ts';
import { timelineRows } from '../../timeline/timeline-rows.ts';
import { style } from './style.ts';

/** A run with the name that it is shown under. */
export interface ReportedRun {
  readonly name: string;
  readonly about: string;
  readonly result: SimulationResult;
}

const STATES = ['loading', 'ready', 'idle', 'expiring', 'unloading', 'vram-recovering'];

/** One page that stands by itself: no scripts, no other files; what happened shows when the pointer rests on it. */
export function reportOf(runs: readonly ReportedRun[]): string {
  const failed = runs.filter(({ result }) => result.failures.length > 0).length;
  const verdict = failed === 0 ? 'all as expected' : `${failed} of ${runs.length} not as expected`;
  const legend = STATES.map(
    (state) => `<span class="key" style="background: var(--${state}-fill)"></span>${state}`,
  ).join('');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Corral simulation</title><style>${style}</style></head>
<body><h1>Simulation: ${verdict}</h1><p class="dim">${legend}</p>
${runs.map(sectionOf).join('\n')}
</body></html>
`;
}

function sectionOf({ name, about, result }: ReportedRun): string {
  const { measures, policy, failures, requests } = result;
  const figures = `${measures.loads} loads (${round(measures.loadSeconds)} s), ${measures.evictions} evictions; waits: mean ${round(measures.meanWaitSeconds)} s, p95 ${round(measures.p95WaitSeconds)} s, max ${round(measures.maxWaitSeconds)} s`;
  return `<section><h2>${escapeHtml(name)} <span class="dim">under ${policy}</span></h2>
<p>${escapeHtml(about)}</p>${failures.map(failureOf).join('')}
${timelineOf(result)}<p class="dim">${figures}</p>
<details><summary>${requests.length} requests</summary>${tableOf(requests)}</details></section>`;
}

/** Units of the drawing, which the page stretches to its width. */
const DRAWING = { left: 120, width: 1000 };

function timelineOf(result: SimulationResult): string {
  const data = timelineOfSimulation(result);
  const scale = { ...DRAWING, fromMs: data.fromMs, toMs: data.toMs };
  return drawTimeline(timelineRows(data), scale, { moment: formatTime, duration: formatTime });
}

const failureOf = ({ expectation, message, atMs }: ExpectationFailure): string =>
  `<p class="bad">${escapeHtml(`${expectation}: ${message}`)}${atMs === null ? '' : ` (at ${formatTime(atMs)})`}</p>`;

const tableOf = (requests: readonly RequestResult[]): string =>
  `<table><tr><th>request</th><th>model</th><th>came</th><th>waited</th><th>served by</th><th>outcome</th></tr>${requests
    .map(({ id, model, submittedAtMs, grantedAtMs, runnerId, outcome, failure }) =>
      rowOf([
        id,
        model,
        formatTime(submittedAtMs),
        grantedAtMs === null ? '' : formatTime(grantedAtMs - submittedAtMs),
        runnerId ?? '',
        failure ? `${outcome}: ${failure.message}` : outcome,
      ]),
    )
    .join('')}</table>`;

const rowOf = (cells: readonly string[]): string =>
  `<tr>${cells.map((cell) => `<td>${escapeHtml(cell)}</td>`).join('')}</tr>`;

const round = (value: number): number => Math.round(value * 100) / 100;
