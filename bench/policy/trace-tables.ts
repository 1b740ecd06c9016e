import Table from 'cli-table3';
import { policyNames, type PolicyName } from '../../src/simulation/simulate.ts';
import type { TraceResult } from '../../src/simulation/trace.ts';
import type { Change } from './changed-traces.ts';
import { geometricMean, median, ratioOf, seconds, two } from './figures.ts';
import type { Mode } from './tasks.ts';

const MEASURES = [
  ['load-s', 'loadSeconds'],
  ['mean', 'meanWaitSeconds'],
  ['p95', 'p95WaitSeconds'],
  ['p99', 'p99WaitSeconds'],
  ['max', 'maxWaitSeconds'],
] as const satisfies readonly (readonly [string, keyof TraceResult])[];

/** What goals there are, ratio to Ollama's policy; those of the mean, p95 and p99 have been passed by far. */
const GOALS: Record<Mode, readonly (number | null)[]> = {
  strict: [0.64, 0.57, 0.58, null, null],
  soft: [0.49, 0.47, 0.45, null, null],
};

/** One trace under every policy. */
export interface TraceRun {
  readonly trace: string;
  readonly change: Change;
  readonly mode: Mode;
  readonly results: Readonly<Record<PolicyName, TraceResult>>;
}

const ratiosOf = ({ results }: TraceRun, policy: PolicyName): number[] =>
  MEASURES.map(([, key]) => ratioOf(results[policy][key], results.ollama[key]));

const meansOf = (runs: readonly TraceRun[], policy: PolicyName): number[] =>
  MEASURES.map((_, i) => geometricMean(runs.map((run) => ratiosOf(run, policy)[i] ?? 1)));

const style = { head: [], border: [] };

/** Trace by trace: ratios to Ollama's policy, and the figures that they are of. */
export function traceTable(runs: readonly TraceRun[], mode: Mode): string {
  const names = MEASURES.map(([name]) => name);
  const figures = ['loads', 'load-s', 'mean s', 'p95 s', 'max s', 'served'];
  const table = new Table({ head: [`${mode} keep-alive of 5 min`, ...names, ...figures], style });
  for (const run of runs) {
    const all = (figureOf: (result: TraceResult) => string | number): string =>
      policyNames.map((policy) => figureOf(run.results[policy])).join(' / ');
    table.push([
      run.trace,
      ...ratiosOf(run, 'default').map(two),
      all(({ loads }) => loads),
      all(({ loadSeconds }) => seconds(loadSeconds)),
      all(({ meanWaitSeconds }) => seconds(meanWaitSeconds)),
      all(({ p95WaitSeconds }) => seconds(p95WaitSeconds)),
      all(({ maxWaitSeconds }) => seconds(maxWaitSeconds)),
      all(({ served }) => served),
    ]);
  }
  const rest = figures.map(() => '');
  table.push(['geometric mean', ...meansOf(runs, 'default').map(two), ...rest]);
  table.push(['goal, at most', ...GOALS[mode].map(two), ...rest]);
  table.push(['geometric mean of fifo', ...meansOf(runs, 'fifo').map(two), ...rest]);
  return `${table.toString()}\nRatios to ollama; figures: ${policyNames.join(' / ')}`;
}

/** A line for each change that was made to the traces: geometric means over all of them, and the worst. */
export function changeTable(runs: readonly TraceRun[]): string {
  const worst = ['worst p95', 'worst p99', 'p95 to the better, median'];
  const table = new Table({ head: ['traces', ...MEASURES.map(([name]) => name), ...worst], style });
  const groups = new Map<string, TraceRun[]>();
  for (const run of runs) {
    const name = `${run.mode}, ${run.change}`;
    groups.set(name, [...(groups.get(name) ?? []), run]);
  }
  for (const [name, group] of groups) {
    const [p95, p99] = [2, 3].map((i) => Math.max(...group.map((run) => ratiosOf(run, 'default')[i] ?? 0)));
    const toBetter = group.map(({ results }) =>
      ratioOf(
        results.default.p95WaitSeconds,
        Math.min(results.ollama.p95WaitSeconds, results.fifo.p95WaitSeconds),
      ),
    );
    table.push([name, ...meansOf(group, 'default').map(two), two(p95), two(p99), two(median(toBetter))]);
    table.push(['   the same of fifo', ...meansOf(group, 'fifo').map(two), '', '', '']);
  }
  return `${table.toString()}\nRatios to ollama, geometric means over the traces; the better: of ollama and fifo, trace by trace`;
}
