import { median, quantile } from '../proxy/measure.ts';
import type { Answer } from './play.ts';
import type { Workload } from './workload.ts';

/** From this change of model on, a client that alternates counts: what is to be learned of it can be known by then. */
const COUNTED_CHANGE = 3;

/** How one contender did in one workload; first tokens in ms. */
export interface Figures {
  readonly answered: number;
  readonly failures: readonly string[];
  readonly loads: number;
  readonly mean: number;
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
  /** Of a client that changes between models: the median by model, from its third change on. */
  readonly alternating: Readonly<Record<string, number>>;
}

export function figuresOf(workload: Workload, answers: readonly Answer[], loads: number): Figures {
  const good = answers.filter(({ failure }) => failure === null);
  const sorted = good.map(({ firstTokenMs }) => firstTokenMs).toSorted((a, b) => a - b);
  return {
    answered: good.length,
    failures: answers.flatMap(({ failure }) => failure ?? []),
    loads,
    mean: sorted.reduce((sum, ms) => sum + ms, 0) / sorted.length,
    p50: quantile(sorted, 0.5),
    p95: quantile(sorted, 0.95),
    max: sorted.at(-1) ?? NaN,
    alternating: alternatingOf(workload, answers),
  };
}

/** Nothing when no client alternates. */
function alternatingOf({ clients }: Workload, answers: readonly Answer[]): Record<string, number> {
  const byModel: Record<string, number[]> = {};
  for (const [number, { models }] of clients.entries()) {
    if (models.length === 1) continue;
    // The first request changes nothing yet.
    const counted = answers.filter(({ client }) => client === number).slice(COUNTED_CHANGE);
    for (const { model, firstTokenMs, failure } of counted)
      if (failure === null) (byModel[model] ??= []).push(firstTokenMs);
  }
  return Object.fromEntries(Object.entries(byModel).map(([model, all]) => [model, median(all)]));
}

const shown = (value: number): string =>
  Number.isFinite(value) ? Math.round(value).toLocaleString('en-US') : '–';

/** A Markdown table, a line for each contender. */
export function tableOf(rows: readonly (readonly [name: string, figures: Figures])[]): string {
  const models = [...new Set(rows.flatMap(([, { alternating }]) => Object.keys(alternating)))];
  const head = [
    '',
    'answered',
    'failed',
    'loads',
    'mean',
    'p50',
    'p95',
    'max',
    ...models.map((name) => `median ${name}`),
  ];
  const lines = rows.map(([name, figures]) => [
    name,
    ...[
      figures.answered,
      figures.failures.length,
      figures.loads,
      figures.mean,
      figures.p50,
      figures.p95,
      figures.max,
      ...models.map((model) => figures.alternating[model] ?? NaN),
    ].map(shown),
  ]);
  const widths = head.map((_, i) => Math.max(3, ...[head, ...lines].map((cells) => cells[i]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(' | ')} |`;
  const rule = widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [head, rule, ...lines].map(line).join('\n');
}
