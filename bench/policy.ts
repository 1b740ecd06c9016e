/**
 * `npm run bench:policy`: plays traces and races through the real statecharts in virtual time under every policy, and prints how ours
 * does beside those of Ollama and llama-swap.
 *
 * `--part traces|changed|races|lone` plays one part (may be given several times), `--long` all traces whole, both keep-alive modes and
 * more races, `--seed N` other races, `--races FOLDER` those of a folder (JSON, as in bench/races/race.ts), `--only NAME` traces and races
 * whose name begins so, `--traces FOLDER` the traces of another folder, `--json` prints every figure.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { policyNames, type PolicyName } from '../src/simulation/simulate.ts';
import type { TraceResult } from '../src/simulation/trace.ts';
import { changes, type Change } from './policy/changed-traces.ts';
import { loneTable, raceTable, type LoneRun, type RaceRun } from './policy/race-tables.ts';
import type { Done, Mode, Task } from './policy/tasks.ts';
import { carryOutAll } from './policy/threads.ts';
import { changeTable, traceTable, type TraceRun } from './policy/trace-tables.ts';
import { liveRaces, loneRaces, racesOf } from './races/families.ts';
import type { Race, RaceResult } from './races/race.ts';
import { traceNames } from './traces.ts';

const PARTS = ['traces', 'changed', 'races', 'lone'] as const;
type Part = (typeof PARTS)[number];

const { values } = parseArgs({
  options: {
    json: { type: 'boolean' },
    long: { type: 'boolean' },
    traces: { type: 'string' },
    races: { type: 'string' },
    only: { type: 'string', default: '' },
    seed: { type: 'string', default: '7' },
    part: { type: 'string', multiple: true, default: [...PARTS] },
  },
});
const unknown = values.part.find((part) => !PARTS.includes(part as Part));
if (unknown !== undefined) throw new Error(`--part ${unknown}: expected ${PARTS.join(', ')}`);

/** Of each changed trace, unless all is to be played whole. */
const FIRST_REQUESTS = 1500;
const RACES_PER_FAMILY = values.long ? 40 : 6;
const LIVE_SEEDS = values.long ? 20 : 8;

const folder = values.traces === undefined ? undefined : `${pathToFileURL(resolve(values.traces)).href}/`;
const isWanted = (name: string): boolean => name.startsWith(values.only);
const isPlayed = (part: Part): boolean => values.part.includes(part);

/** Every policy's result of the same thing, in the order of `policyNames`. */
const byPolicy = <T>(results: readonly T[]): Record<PolicyName, T> =>
  Object.fromEntries(policyNames.map((policy, i) => [policy, results[i]])) as Record<PolicyName, T>;

const groupsOf = <T>(list: readonly T[], size: number): T[][] =>
  Array.from({ length: list.length / size }, (_, i) => list.slice(i * size, (i + 1) * size));

const traceOf = (done: Done): TraceResult[] => ('trace' in done ? [done.trace] : []);
const raceOf = (done: Done): RaceResult[] => ('race' in done ? [done.race] : []);

async function playTraces(
  wanted: readonly Change[],
  modes: readonly Mode[],
  first?: number,
): Promise<TraceRun[]> {
  const names = traceNames(folder === undefined ? undefined : new URL(folder)).filter(isWanted);
  const runs = modes.flatMap((mode) =>
    wanted.flatMap((change) => names.map((trace) => ({ trace, change, mode }))),
  );
  const tasks = runs.flatMap((run) =>
    policyNames.map((policy): Task => ({ kind: 'trace', ...run, policy, folder, first })),
  );
  const results = groupsOf((await carryOutAll(tasks)).flatMap(traceOf), policyNames.length);
  return runs.map((run, i) => ({ ...run, results: byPolicy(results[i] ?? []) }));
}

async function playRaces(races: readonly Race[]): Promise<RaceRun[]> {
  const tasks = races.flatMap((race) => policyNames.map((policy): Task => ({ kind: 'race', race, policy })));
  const results = groupsOf((await carryOutAll(tasks)).flatMap(raceOf), policyNames.length);
  return races.map((race, i) => ({ race, results: byPolicy(results[i] ?? []) }));
}

async function playLone(races: readonly Race[]): Promise<LoneRun[]> {
  const runs = await playRaces(races);
  const tasks = races.map((race): Task => ({ kind: 'race', race, policy: 'default', gamma: 0 }));
  const atOnce = (await carryOutAll(tasks)).flatMap(raceOf);
  return runs.flatMap((run, i) => {
    const one = atOnce[i];
    return one ? [{ ...run, atOnce: one }] : [];
  });
}

const readRaces = (from: string): readonly Race[] =>
  readdirSync(from)
    .filter((file) => file.endsWith('.json'))
    .map((file) => JSON.parse(readFileSync(join(from, file), 'utf8')) as Race);

const modes: readonly Mode[] = ['strict', 'soft'];
const all: object[] = [];
const tell = (text: string, runs: readonly object[]): void => {
  all.push(...runs);
  if (!values.json) process.stdout.write(`${text}\n\n`);
};

if (isPlayed('traces')) {
  const runs = await playTraces(['as it is'], values.long ? modes : ['strict']);
  for (const mode of modes) {
    const own = runs.filter((run) => run.mode === mode);
    if (own.length > 0) tell(traceTable(own, mode), own);
  }
}
if (isPlayed('changed')) {
  const wanted = Object.keys(changes) as Change[];
  const runs = await playTraces(
    wanted,
    values.long ? modes : ['strict'],
    values.long ? undefined : FIRST_REQUESTS,
  );
  const note = values.long ? '' : `\nOf each trace the first ${FIRST_REQUESTS} requests; --long plays all.`;
  tell(changeTable(runs) + note, runs);
}
if (isPlayed('races')) {
  const races = values.races
    ? readRaces(values.races)
    : [...racesOf(RACES_PER_FAMILY, Number(values.seed)), ...liveRaces(LIVE_SEEDS)];
  const runs = await playRaces(races.filter(({ id }) => isWanted(id)));
  tell(raceTable(runs), runs);
}
if (isPlayed('lone')) {
  const runs = await playLone(loneRaces());
  tell(loneTable(runs), runs);
}
if (values.json) process.stdout.write(`${JSON.stringify(all, null, 2)}\n`);
