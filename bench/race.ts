/**
 * `npm run bench:race`: who serves whom. The same clients ask Corral and whatever peers are found, one after the other on this
 * machine, with the same runner and models. What is left out is said first and last.
 */
import { availableParallelism, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Command, Option } from 'commander';
import type { Contender } from './race/contenders/contender.ts';
import { corral } from './race/contenders/corral.ts';
import { llamaSwap } from './race/contenders/llama-swap.ts';
import { ollama } from './race/contenders/ollama.ts';
import { router } from './race/contenders/router.ts';
import { figuresOf, tableOf, type Figures } from './race/figures.ts';
import { findLlamaServer, findModels, findProgram } from './race/find.ts';
import { parseLabelled } from './race/labelled.ts';
import { play } from './race/play.ts';
import { closeStage, loadsOn, openStage, type Runner, type Stage } from './race/stage.ts';
import { modelsOf, readWorkload, workloadNames, type Workload } from './race/workload.ts';

interface Options {
  readonly workload?: readonly string[];
  readonly seconds?: number;
  readonly contender?: readonly string[];
  readonly corral?: readonly string[];
  readonly runner: 'fake' | 'real' | 'both';
  readonly load: number;
  readonly token: number;
  readonly threads: number;
}

/** Threads of llama.cpp wait by spinning: more of them than there are cores left make it many times slower. */
const DEFAULT_THREADS = Math.max(1, availableParallelism() - 1);

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const say = (text = ''): void => void process.stdout.write(`${text}\n`);
const leftOut: string[] = [];
function leaveOut(what: string): void {
  leftOut.push(what);
  say(`LEFT OUT: ${what}`);
}

const program = new Command('bench:race')
  .description('Who serves whom: Corral and its peers, with the same clients, one after the other.')
  .option('-w, --workload <name...>', `of ${workloadNames().join(', ')}, or JSON files; default: all of them`)
  .option('-s, --seconds <number>', "how long each contender is asked; default: the workload's own", Number)
  .option('-c, --contender <name...>', 'of corral, llama-swap, ollama, router; default: all that are found')
  .option(
    '--corral <label=main.js...>',
    'further Corrals, built elsewhere: before=/path/dist/src/cli/main.js',
  )
  .addOption(
    new Option('-r, --runner <kind>', 'what serves').choices(['fake', 'real', 'both']).default('both'),
  )
  .option('--load <ms>', "the fake runner's load", Number, 2_000)
  .option('--token <ms>', "the fake runner's pace", Number, 20)
  .option(
    '--threads <number>',
    "the real runner's threads; default: a core is left to the rest",
    Number,
    DEFAULT_THREADS,
  )
  .addHelpText(
    'after',
    `
Found by variable, else on PATH; what is not there is left out, and that is said:
  RACE_LLAMA_SWAP  llama-swap
  RACE_OLLAMA      ollama
  LLAMA_SERVER     llama-server, for real models and as router; else that of npm run llama-server
  RACE_MODELS      a folder with real models, *.gguf: the smallest is a, the next b, …
docs/performance.md says more.`,
  )
  .parse();
const options = program.opts<Options>();

function contenders(): Contender[] {
  const wanted = (name: string): boolean => options.contender?.includes(name) ?? true;
  const all: Contender[] = [];
  if (wanted('corral')) all.push(corral('Corral', here('../dist/src/cli/main.js')));
  for (const text of options.corral ?? []) {
    const { label, path } = parseLabelled(text);
    all.push(corral(`Corral ${label}`, path));
  }
  for (const [name, variable, make] of [
    ['llama-swap', 'RACE_LLAMA_SWAP', llamaSwap],
    ['ollama', 'RACE_OLLAMA', ollama],
  ] as const) {
    if (!wanted(name)) continue;
    const found = findProgram(name, variable, process.env);
    if ('path' in found) all.push(make(found.path));
    else leaveOut(`${name}: ${found.missing}`);
  }
  if (wanted('router')) all.push(router);
  return all;
}

function runners(): Runner[] {
  const fake: Runner = {
    name: `a fake runner (loads ${options.load} ms, a token each ${options.token} ms)`,
    command: [process.execPath, here('../dist/bench/race/fake-runner.js')],
    env: { FAKE_LOAD_MS: String(options.load), FAKE_TOKEN_MS: String(options.token) },
    realServer: null,
    modelFiles: [],
  };
  const all = options.runner === 'real' ? [] : [fake];
  if (options.runner === 'fake') return all;
  const [server, models] = [findLlamaServer(process.env), findModels(process.env)];
  if ('missing' in server) leaveOut(`real models: ${server.missing}`);
  else if ('missing' in models) leaveOut(`real models: ${models.missing}`);
  else
    all.push({
      name: `llama-server and real models (${options.threads} threads)`,
      command: [server.path],
      env: { LLAMA_ARG_THREADS: String(options.threads) },
      realServer: server.path,
      modelFiles: models.paths,
    });
  return all;
}

async function run(workload: Workload, contender: Contender, stage: Stage): Promise<Figures> {
  const started = await contender.start(stage);
  stopNow = () => started.end();
  try {
    const answers = await play(workload, started.url, options.seconds ?? workload.seconds);
    return figuresOf(workload, answers, started.countLoads?.() ?? loadsOn(stage));
  } finally {
    stopNow = null;
    await started.end();
  }
}

async function race(workload: Workload, runner: Runner, all: readonly Contender[]): Promise<void> {
  const title = `${workload.name}, ${options.seconds ?? workload.seconds} s each, on ${runner.name}`;
  const models = modelsOf(workload).length;
  if (runner.modelFiles.length > 0 && runner.modelFiles.length < models)
    return leaveOut(`${title}: it needs ${models} models, RACE_MODELS has ${runner.modelFiles.length}`);
  say(`\n## ${title}\n${workload.about}; first tokens in ms\n`);
  const rows: [string, Figures][] = [];
  for (const contender of all) {
    const unfit = contender.unfit(runner);
    if (unfit !== null) {
      leaveOut(`${contender.name} in ${workload.name} on ${runner.name}: ${unfit}`);
      continue;
    }
    const stage = await openStage(workload, runner);
    const load = loadavg()[0] ?? NaN;
    try {
      const figures = await run(workload, contender, stage);
      rows.push([contender.name, figures]);
      say(`${contender.name}: ${figures.answered} answered (load average before: ${load.toFixed(1)})`);
      for (const failure of new Set(figures.failures)) say(`  failed: ${failure}`);
    } catch (error) {
      leaveOut(`${contender.name} in ${workload.name} on ${runner.name}: ${String(error)}`);
    } finally {
      closeStage(stage);
    }
  }
  say(`\n${tableOf(rows)}\n`);
}

let stopNow: (() => Promise<void>) | null = null;
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    void (stopNow?.() ?? Promise.resolve()).finally(() => process.exit(130));
  });

try {
  const workloads = (options.workload ?? workloadNames()).map(readWorkload);
  const all = contenders();
  for (const runner of runners()) for (const workload of workloads) await race(workload, runner, all);
  say(
    leftOut.length === 0
      ? '\nNothing was left out.'
      : `\nLEFT OUT:\n${leftOut.map((what) => `- ${what}`).join('\n')}`,
  );
} catch (error) {
  program.error(error instanceof Error ? error.message : String(error));
}
