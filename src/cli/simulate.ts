import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { KeepAlive } from '../../machines/vocabulary.ts';
import { readText } from '../config/read-text.ts';
import { reportOf } from '../simulation/report/report.ts';
import { readScenario } from '../simulation/read-scenario.ts';
import { policyNames, scenarioOf, simulate, type PolicyName } from '../simulation/simulate.ts';
import { settingsOf } from '../simulation/scenario/stage.ts';
import { parseTrace } from '../simulation/parse-trace.ts';
import { runTrace } from '../simulation/trace.ts';
import { stdout } from '../terminal/print.ts';
import { printJson } from './context.ts';
import { compareText, jsonOf, runText, summaryText, traceText, type Run } from './simulate-text.ts';

interface SimulateFlags {
  readonly policy?: PolicyName;
  readonly compare?: boolean;
  readonly trace?: string;
  readonly json?: boolean;
  readonly report?: string;
  readonly traceCsv?: string;
  readonly models?: string;
  readonly keepAlive: KeepAlive;
  readonly keepAliveMode: 'strict' | 'soft';
}

/** Millions of requests. */
const LONGEST_TRACE_BYTES = 256 * 1024 ** 2;
const SCENARIO_FILE = /\.(ya?ml|json)$/;

/** `corral simulate`: what would be loaded, evicted and queued, and why, in virtual time. */
export const simulateCommand = (): Command =>
  new Command('simulate')
    .description('play scenarios, or a trace of requests, in virtual time')
    .argument('[files...]', 'scenario files (YAML or JSON), or folders of them')
    .addOption(new Option('--policy <name>', 'the policy to play them under').choices(policyNames))
    .option('--compare', 'all policies, side by side')
    .option('--json', 'print JSON (fields: docs/scenarios.md)')
    .option('--trace <file>', 'write every event, one JSON object per line; the page opens it')
    .option('--report <file>', 'write a page that shows what happened (HTML)')
    .option(
      '--trace-csv <file>',
      'play a trace of requests instead: t_seconds,model,prompt_tokens,output_tokens',
    )
    .option('--models <file>', "with --trace-csv: the trace's GPUs and models (JSON)")
    .addOption(
      new Option('--keep-alive <seconds|forever>', "with --trace-csv: the models' keep-alive")
        .argParser(parseKeepAlive)
        .default(300_000, '300'),
    )
    .addOption(
      new Option('--keep-alive-mode <mode>', 'with --trace-csv: soft keeps a model until its room is wanted')
        .choices(['strict', 'soft'])
        .default('strict'),
    )
    .addHelpText(
      'after',
      `
Exit code 1 when an expectation failed, 2 for a file that cannot be used. The format: docs/scenarios.md

Examples:
  corral simulate scenarios                          all scenarios of a folder
  corral simulate scenarios/i10-*.yaml --compare     one of them, under all policies
  corral simulate my.yaml --report my.html           with a page to look at
  corral simulate --trace-csv day.csv --models day.json --keep-alive-mode soft`,
    )
    .action((files: string[], flags: SimulateFlags, command: Command) => {
      if (flags.traceCsv !== undefined) return playTrace(flags.traceCsv, files, flags, command);
      if (files.length === 0) command.error('error: name a scenario file or a folder, or --trace-csv');
      playScenarios(files, flags);
    });

function parseKeepAlive(text: string): KeepAlive {
  if (text === 'forever') return 'forever';
  const seconds = Number(text);
  if (!(seconds >= 0)) throw new InvalidArgumentError('expected a number of seconds, or forever.');
  return seconds * 1000;
}

function playScenarios(paths: readonly string[], flags: SimulateFlags): void {
  const files = paths.flatMap(scenariosIn);
  const runs = files.flatMap((file) => runsOf(file, flags));
  if (flags.trace !== undefined) writeFileSync(flags.trace, runs.flatMap(traceLines).join(''));
  if (flags.report !== undefined) writeFileSync(flags.report, reportOf(runs));
  if (runs.some(({ result }) => result.failures.length > 0)) process.exitCode = 1;
  if (flags.json) return printJson(runs.map(jsonOf));
  stdout.write(`${textOf(runs, files.length, flags)}\n`);
}

function textOf(runs: readonly Run[], files: number, { compare }: SimulateFlags): string {
  if (compare) {
    const byName = new Map<string, Run[]>();
    for (const run of runs) byName.set(run.name, [...(byName.get(run.name) ?? []), run]);
    return [...byName.values()].map(compareText).join('\n\n');
  }
  return files === 1 ? runs.map(runText).join('\n\n') : summaryText(runs);
}

/** A folder stands for the scenario files in it, by name. */
function scenariosIn(path: string): string[] {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return [path];
  const names = readdirSync(path).filter((name) => SCENARIO_FILE.test(name));
  if (names.length === 0)
    throw new Error(`${path}: there is no scenario (.yaml, .yml, .json) in this folder`);
  return names.toSorted().map((name) => join(path, name));
}

function runsOf(file: string, { policy, compare, trace }: SimulateFlags): Run[] {
  const scenario = readScenario(file);
  const name = basename(file).replace(SCENARIO_FILE, '');
  const policies = compare ? policyNames : [policy ?? scenario.settings.policy ?? 'default'];
  return policies.map((one) => ({
    name,
    file,
    about: scenario.about ?? '',
    result: simulate(scenario, { policy: one, told: trace !== undefined }),
  }));
}

const traceLines = ({ name, result }: Run): string[] =>
  result.events.map((event) => `${JSON.stringify({ scenario: name, policy: result.policy, ...event })}\n`);

function playTrace(csv: string, files: readonly string[], flags: SimulateFlags, command: Command): void {
  const { models, policy, keepAlive, keepAliveMode } = flags;
  if (models === undefined) return command.error('error: --trace-csv needs --models');
  if (files.length > 0 || flags.trace !== undefined || flags.report !== undefined)
    return command.error(
      'error: --trace and --report are for scenarios, and --trace-csv takes no scenario files',
    );
  const trace = parseTrace(
    { file: csv, text: readText(csv, LONGEST_TRACE_BYTES) },
    { file: models, text: readText(models) },
  );
  const scenario = scenarioOf({ models: {}, timeline: [], settings: { keepAliveMode } });
  const results = (policy ? [policy] : policyNames).map((one) =>
    runTrace(trace, { settings: settingsOf(scenario, one), keepAlive }),
  );
  if (flags.json) return printJson(results);
  stdout.write(`${traceText(results)}\n`);
}
