/**
 * `npm run bench:policy`: plays the traces of bench/traces through the real statecharts in virtual time, under Ollama's policy and
 * under ours, and prints the ratio of the two beside the goals. `--json` prints every figure, `--only NAME` plays one trace, `--traces FOLDER`
 * those of another folder.
 */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { scenarioOf } from '../src/simulation/simulate.ts';
import { settingsOf } from '../src/simulation/scenario/stage.ts';
import { runTrace, type Trace, type TraceResult } from '../src/simulation/trace.ts';
import { readTrace, traceNames } from './traces.ts';

const MEASURES = [
  ['load-s', 'loadSeconds'],
  ['mean', 'meanWaitSeconds'],
  ['p95', 'p95WaitSeconds'],
  ['p99', 'p99WaitSeconds'],
] as const satisfies readonly (readonly [string, keyof TraceResult])[];

type Mode = 'strict' | 'soft';

/** Geometric means over the traces, ratio to Ollama's policy. The study's best policies are those of docs/policy.md. */
const GOALS: Record<Mode, readonly (number | null)[]> = {
  strict: [0.64, 0.57, 0.58, null],
  soft: [0.49, 0.47, 0.45, null],
};
const STUDY: Record<Mode, readonly number[]> = {
  strict: [0.64, 0.4, 0.49, 0.36],
  soft: [0.53, 0.25, 0.25, 0.27],
};
const CLAIRVOYANT: Record<Mode, readonly number[]> = {
  strict: [0.59, 0.36, 0.45, 0.42],
  soft: [0.45, 0.23, 0.22, 0.3],
};

interface Comparison {
  readonly trace: string;
  readonly mode: Mode;
  readonly ollama: TraceResult;
  readonly corral: TraceResult;
  readonly ratios: readonly number[];
}

const { values } = parseArgs({
  options: { json: { type: 'boolean' }, traces: { type: 'string' }, only: { type: 'string' } },
});
const folder = values.traces === undefined ? undefined : pathToFileURL(`${resolve(values.traces)}/`);

function play(trace: Trace, mode: Mode, policy: 'default' | 'ollama'): TraceResult {
  const scenario = scenarioOf({ models: {}, timeline: [], settings: { keepAliveMode: mode } });
  return runTrace(trace, { settings: settingsOf(scenario, policy), keepAlive: 300_000 });
}

function compare(name: string, mode: Mode): Comparison {
  const trace = readTrace(name, folder);
  const ollama = play(trace, mode, 'ollama');
  const corral = play(trace, mode, 'default');
  return {
    trace: name,
    mode,
    ollama,
    corral,
    ratios: MEASURES.map(([, key]) => Number(corral[key]) / Number(ollama[key])),
  };
}

/** A percentile of nothing to wait for is no ratio; it counts as a hundredth. */
const LEAST_RATIO = 0.01;

const geometricMean = (numbers: readonly number[]): number =>
  Math.exp(
    numbers.reduce((sum, number) => sum + Math.log(Math.max(number, LEAST_RATIO)), 0) / numbers.length,
  );

const two = (number: number | null | undefined): string => (number == null ? '' : number.toFixed(2));
const seconds = (number: number): string => number.toFixed(number < 100 ? 1 : 0);

const names = traceNames(folder).filter((name) => name.startsWith(values.only ?? ''));
const all = (['strict', 'soft'] as const).flatMap((mode) => names.map((name) => compare(name, mode)));

if (values.json) process.stdout.write(`${JSON.stringify(all, null, 2)}\n`);
else for (const mode of ['strict', 'soft'] as const) print(mode);

function print(mode: Mode): void {
  const own = all.filter((one) => one.mode === mode);
  const table = new Table({
    head: [
      `${mode} keep-alive of 5 min`,
      ...MEASURES.map(([name]) => name),
      'loads',
      'load-s',
      'mean s',
      'p95 s',
      'max s',
      'served',
    ],
    style: { head: [], border: [] },
  });
  for (const { trace, ratios, ollama, corral } of own)
    table.push([
      trace,
      ...ratios.map(two),
      `${ollama.loads} → ${corral.loads}`,
      `${seconds(ollama.loadSeconds)} → ${seconds(corral.loadSeconds)}`,
      `${seconds(ollama.meanWaitSeconds)} → ${seconds(corral.meanWaitSeconds)}`,
      `${seconds(ollama.p95WaitSeconds)} → ${seconds(corral.p95WaitSeconds)}`,
      `${seconds(ollama.maxWaitSeconds)} → ${seconds(corral.maxWaitSeconds)}`,
      `${ollama.served} → ${corral.served}`,
    ]);
  const means = MEASURES.map((_, i) => geometricMean(own.map(({ ratios }) => ratios[i] ?? 1)));
  const line = (label: string, numbers: readonly (number | null)[]): string[] => [
    label,
    ...numbers.map(two),
    ...Array<string>(6).fill(''),
  ];
  table.push(line('geometric mean', means));
  table.push(line('goal, at most', GOALS[mode]));
  table.push(line("the study's best policy", STUDY[mode]));
  table.push(line('best clairvoyant found', CLAIRVOYANT[mode]));
  process.stdout.write(`${table.toString()}\n`);
}
