/**
 * `npm run nightly`: plays random scripts of requests, commands and faults through the statecharts, and checks after every step that every
 * promise is kept. A counter-example is printed, small, with its seed and as JSON that `--script` plays again; it belongs into scenarios/,
 * so that it never comes back.
 */
import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { play } from '../test/support/random-script/play.ts';
import { script, type Script } from '../test/support/random-script/script.ts';

const HELP = `npm run nightly -- [options]

  --scripts N      how many scripts to play, over all processes (1000000)
  --minutes N      end after so long, however many have been played (no limit)
  --processes N    how many processes play at a time (as many as there are cores)
  --seed N         of the first process, the next ones have the numbers after it (another one each time)
  --script FILE    play one script, as it was printed, and print what was decided
  --help           print this
`;

const { values } = parseArgs({
  options: {
    scripts: { type: 'string', default: '1000000' },
    minutes: { type: 'string', default: 'Infinity' },
    processes: { type: 'string', default: String(availableParallelism()) },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    script: { type: 'string' },
    help: { type: 'boolean', default: false },
    /** Of a process that plays its share. */
    share: { type: 'boolean', default: false },
  },
});

/** How many scripts to play, from which seed on, and for how long at most. */
interface Share {
  readonly scripts: number;
  readonly seed: number;
  readonly minutes: number;
}

/** How a share went; `problem` is null when all promises were kept. */
interface Report {
  readonly played: number;
  readonly problem: string | null;
}

function numberOf(name: 'scripts' | 'minutes' | 'processes' | 'seed', least: number): number {
  const value = Number(values[name]);
  if (value >= least && (Number.isInteger(value) || name === 'minutes')) return value;
  process.stderr.write(`--${name} ${values[name]}: expected a number from ${least} on.\n\n${HELP}`);
  return process.exit(2);
}

const whole: Share & { readonly processes: number } = {
  scripts: numberOf('scripts', 1),
  seed: numberOf('seed', 0),
  minutes: numberOf('minutes', 0),
  processes: numberOf('processes', 1),
};

if (values.help) process.stdout.write(HELP);
else if (values.script !== undefined) playFile(values.script);
else if (values.share) process.send?.(playShare(whole));
else process.exitCode = await playOnAll(whole.processes);

function playFile(path: string): void {
  const one = JSON.parse(readFileSync(path, 'utf8')) as Script;
  play(one, (line) => process.stdout.write(`${line}\n`));
  process.stdout.write('All promises kept.\n');
}

function playShare({ scripts, seed, minutes }: Share): Report {
  const result = fc.check(
    fc.property(script, (one) => void play(one)),
    {
      seed,
      numRuns: scripts,
      ...(minutes !== Infinity && { interruptAfterTimeLimit: minutes * 60_000 }),
    },
  );
  const { numRuns: played, counterexample, errorInstance } = result;
  if (counterexample === null) return { played, problem: null };
  const what = errorInstance instanceof Error ? errorInstance.message : String(errorInstance);
  return { played, problem: `${what}\nseed ${seed}, script:\n${JSON.stringify(counterexample[0])}\n` };
}

async function playOnAll(processes: number): Promise<number> {
  const reports = await Promise.all(Array.from({ length: processes }, (_, i) => playElsewhere(i, processes)));
  const played = reports.reduce((sum, report) => sum + report.played, 0);
  const isFine = reports.every(({ problem }) => problem === null);
  const outcome = isFine ? 'all promises kept' : 'FAILED';
  process.stdout.write(`${played} scripts from seed ${whole.seed} on: ${outcome}\n`);
  return isFine ? 0 : 1;
}

function playElsewhere(index: number, processes: number): Promise<Report> {
  const share: Share = {
    scripts: Math.ceil(whole.scripts / processes),
    seed: whole.seed + index,
    minutes: whole.minutes,
  };
  const options = Object.entries(share).flatMap(([name, value]) =>
    value === Infinity ? [] : [`--${name}`, String(value)],
  );
  const child = fork(fileURLToPath(import.meta.url), [...options, '--share'], {
    execArgv: process.execArgv,
  });
  return new Promise((resolve) => {
    let report: Report = { played: 0, problem: `A process ended without a word (seed ${share.seed}).` };
    child.on('message', (message) => (report = message as Report));
    child.on('exit', () => {
      // At once: the other processes may have hours to go.
      if (report.problem !== null) process.stdout.write(`${report.problem}\n`);
      resolve(report);
    });
  });
}
