import Table from 'cli-table3';
import type { PolicyName } from '../../src/simulation/simulate.ts';
import type { Race, RaceResult } from '../races/race.ts';
import { geometricMean, median, ratioOf, two } from './figures.ts';

/** One race under every policy. */
export interface RaceRun {
  readonly race: Race;
  readonly results: Readonly<Record<PolicyName, RaceResult>>;
}

type Wait = 'meanWait' | 'p95Wait' | 'p99Wait' | 'maxWait';

const better = ({ results }: RaceRun, wait: Wait): number =>
  Math.min(results.ollama[wait], results.fifo[wait]);
const waitRatio = (run: RaceRun, wait: Wait, policy: PolicyName): number =>
  ratioOf(run.results[policy][wait], better(run, wait));
const answeredRatio = ({ results }: RaceRun, policy: PolicyName): number =>
  ratioOf(results[policy].answered, Math.max(results.ollama.answered, results.fifo.answered));

const style = { head: [], border: [] };
/** Above this in the median case of a family, p95 misses its goal; below 1 answers do. */
const MOST_P95 = 1.1;

/** A line for each family of races: ratios, race by race, to the better of the two other policies. */
export function raceTable(runs: readonly RaceRun[]): string {
  const head = [
    'races',
    'number',
    'answers',
    'mean of',
    'p95',
    'mean of',
    'p99',
    'max',
    'missed in p95',
    'ollama: answers, p95',
    'fifo: answers, p95',
  ];
  const table = new Table({ head, style });
  const families = [...new Set(runs.map(({ race }) => race.family))];
  for (const family of families)
    table.push(
      line(
        family,
        runs.filter(({ race }) => race.family === family),
      ),
    );
  table.push(line('all', runs));
  const what =
    'Ratios to the better of ollama and fifo, race by race and figure by figure: medians, and geometric means.';
  return `${table.toString()}\n${what} Goals: answers ≥ 1 and p95 ≤ ${MOST_P95} in the median.`;
}

function line(family: string, runs: readonly RaceRun[]): string[] {
  const answers = runs.map((run) => answeredRatio(run, 'default'));
  const of = (wait: Wait): number[] => runs.map((run) => waitRatio(run, wait, 'default'));
  const p95 = of('p95Wait');
  const peer = (policy: PolicyName): string =>
    `${two(geometricMean(runs.map((run) => answeredRatio(run, policy))))}, ${two(geometricMean(runs.map((run) => waitRatio(run, 'p95Wait', policy))))}`;
  return [
    family,
    String(runs.length),
    two(median(answers)),
    two(geometricMean(answers)),
    two(median(p95)),
    two(geometricMean(p95)),
    two(geometricMean(of('p99Wait'))),
    two(geometricMean(of('maxWait'))),
    String(p95.filter((ratio) => ratio > MOST_P95).length),
    peer('ollama'),
    peer('fifo'),
  ];
}

/** A race of one client, and the same without any deliberate wait. */
export interface LoneRun extends RaceRun {
  readonly atOnce: RaceResult;
}

/** The change from which on nobody who is alone is made to wait. */
const KNOWN_FROM = 3;

export function loneTable(runs: readonly LoneRun[]): string {
  const head = [
    'alone, two models in turn',
    'load s',
    'think s',
    'wait s',
    'ollama',
    'fifo',
    'nobody is spared',
    'longest ratio',
  ];
  const table = new Table({ head, style });
  for (const { race, results, atOnce } of runs) {
    const later = ({ waits }: RaceResult): readonly number[] => waits.slice(KNOWN_FROM);
    const free = later(atOnce);
    const ratios = later(results.default).map((wait, i) => ratioOf(wait, free[i] ?? wait));
    table.push([
      race.id,
      two(race.R / 1000),
      two((race.clients[0]?.thinkMs ?? 0) / 1000),
      two(median(later(results.default))),
      two(median(later(results.ollama))),
      two(median(later(results.fifo))),
      two(median(free)),
      two(Math.max(...ratios)),
    ]);
  }
  return `${table.toString()}\nMedian waits from the third change on. Goal: no longer than ${MOST_P95} times what they are when nobody is spared.`;
}
