import type { DecisionRecord } from '../../machines/scheduler/contract.ts';
import type { ReportedRun } from '../simulation/report/report.ts';
import { formatTime } from '../simulation/scenario/format-time.ts';
import type { ExpectationFailure, Measures, RequestResult } from '../simulation/scenario/result.ts';
import type { TraceResult } from '../simulation/trace.ts';
import { table } from './table.ts';

/** One scenario played under one policy. */
export interface Run extends ReportedRun {
  readonly file: string;
}

/** A timeline longer than this is cut; the rest is in `--trace`. */
const MOST_LINES = 60;

/** One run in full: its requests, what was decided, and what did not come as expected. */
export function runText(run: Run): string {
  const { name, about, result } = run;
  const requests = table(
    ['REQUEST', 'MODEL', 'CAME', 'WAITED', 'SERVED BY', 'ENDED', 'OUTCOME'],
    result.requests.map((request) => [
      request.id,
      request.model,
      formatTime(request.submittedAtMs),
      waitOf(request),
      request.runnerId ?? '-',
      request.endedAtMs === null ? '-' : formatTime(request.endedAtMs),
      outcomeOf(request),
    ]),
  );
  const shown = result.decisions.filter(({ kind }) => kind !== 'grant');
  const lines = shown.slice(0, MOST_LINES).map(decisionLine);
  if (shown.length > MOST_LINES) lines.push(`  and ${shown.length - MOST_LINES} more (--trace has them all)`);
  const head = [`${name}, under ${result.policy}`, ...(about ? [about] : [])].join('\n');
  return [head, requests, lines.join('\n'), figures(result.measures), verdict(run)].join('\n\n');
}

/** Many runs: a line each, then what failed. */
export function summaryText(runs: readonly Run[]): string {
  const failed = runs.filter(({ result }) => result.failures.length > 0);
  const rows = runs.map(({ name, about, result }) => [
    result.failures.length > 0 ? 'FAIL' : result.isChecked ? 'ok' : '-',
    name,
    about,
  ]);
  const count = failed.length === 0 ? 'all as expected' : `${failed.length} not as expected`;
  return [
    table(['', 'SCENARIO', 'SHOWS'], rows),
    ...failed.map((run) => `${run.name}, under ${run.result.policy}\n${verdict(run)}`),
    `${runs.length} scenarios: ${count}`,
  ].join('\n\n');
}

/** One scenario under several policies, side by side. */
export function compareText(runs: readonly Run[]): string {
  const [first] = runs;
  if (!first) return '';
  const policies = runs.map(({ result }) => result.policy);
  const ids = [...new Set(runs.flatMap(({ result }) => result.requests.map(({ id }) => id)))];
  const rows = ids.map((id) => [
    id,
    ...runs.flatMap(({ result }) => {
      const request = result.requests.find((one) => one.id === id);
      return request ? [waitOf(request), request.outcome] : ['-', '-'];
    }),
  ]);
  const heads = policies.flatMap((policy) => [`${policy.toUpperCase()}: WAITED`, 'OUTCOME']);
  const measures = measureRows(runs.map(({ result }) => result.measures));
  return [
    [first.name, first.about].filter(Boolean).join('\n'),
    table(['REQUEST', ...heads], rows),
    table(['', ...policies], measures),
    ...runs.map((run) => `under ${run.result.policy}: ${verdict(run)}`),
  ].join('\n\n');
}

/** A trace under one or several policies. */
export function traceText(results: readonly TraceResult[]): string {
  const rows = [
    ['requests', ...results.map((result) => result.requests)],
    ['served', ...results.map((result) => result.served)],
    ...measureRows(results),
    ['mean wait for a slot (s)', ...results.map((result) => round(result.meanSlotWaitSeconds))],
    ['idle in memory (s)', ...results.map((result) => round(result.idleSeconds))],
  ];
  return table(['', ...results.map((result) => result.policy)], rows);
}

const measureRows = (all: readonly Measures[]): (string | number)[][] => [
  ['load seconds', ...all.map((one) => round(one.loadSeconds))],
  ['loads', ...all.map((one) => one.loads)],
  ['evictions', ...all.map((one) => one.evictions)],
  ['mean wait (s)', ...all.map((one) => round(one.meanWaitSeconds))],
  ['p50 wait (s)', ...all.map((one) => round(one.p50WaitSeconds))],
  ['p95 wait (s)', ...all.map((one) => round(one.p95WaitSeconds))],
  ['p99 wait (s)', ...all.map((one) => round(one.p99WaitSeconds))],
  ['max wait (s)', ...all.map((one) => round(one.maxWaitSeconds))],
];

const figures = (one: Measures): string =>
  `${one.loads} loads (${round(one.loadSeconds)} s), ${one.evictions} evictions; waits: mean ${round(one.meanWaitSeconds)} s, p95 ${round(one.p95WaitSeconds)} s, max ${round(one.maxWaitSeconds)} s`;

function verdict({ result }: Run): string {
  if (result.failures.length > 0) return result.failures.map(failureText).join('\n');
  return result.isChecked ? 'As expected.' : `Nothing was expected under ${result.policy}.`;
}

function failureText({ expectation, message, atMs, decisions }: ExpectationFailure): string {
  const when = atMs === null ? '' : ` (at ${formatTime(atMs)})`;
  return [`FAILED ${expectation}: ${message}${when}`, ...decisions.map(decisionLine)].join('\n');
}

const decisionLine = ({ atMs, kind, model, runnerId, reason }: DecisionRecord): string =>
  `  ${formatTime(atMs).padStart(9)}  ${kind} ${model}${runnerId ? ` (${runnerId})` : ''}: ${reason}`;

const waitOf = ({ submittedAtMs, grantedAtMs }: RequestResult): string =>
  grantedAtMs === null ? '-' : formatTime(grantedAtMs - submittedAtMs);

const outcomeOf = ({ outcome, failure }: RequestResult): string =>
  failure ? `${outcome}: ${failure.code}` : outcome;

const round = (value: number): number => Math.round(value * 1000) / 1000;

/** A run for programs; the names are stable (docs/scenarios.md). */
export const jsonOf = ({ name, file, about, result }: Run): object => ({
  scenario: name,
  file,
  about,
  policy: result.policy,
  ok: result.failures.length === 0,
  checked: result.isChecked,
  endSeconds: result.endedAtMs / 1000,
  ...result.measures,
  requests: result.requests.map((request) => ({
    id: request.id,
    model: request.model,
    submittedSeconds: request.submittedAtMs / 1000,
    waitSeconds: request.grantedAtMs === null ? null : (request.grantedAtMs - request.submittedAtMs) / 1000,
    loadSeconds: request.loadMs / 1000,
    endedSeconds: request.endedAtMs === null ? null : request.endedAtMs / 1000,
    runner: request.runnerId,
    outcome: request.outcome,
    error: request.failure,
  })),
  failures: result.failures.map(({ expectation, message, atMs, decisions }) => ({
    expectation,
    message,
    atSeconds: atMs === null ? null : atMs / 1000,
    decisions,
  })),
});
