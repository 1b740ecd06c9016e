/**
 * `npm run bench:simulate`: how fast the planner and the statecharts are. Prints figures of this machine and, for the growth of
 * costs, ratios within one run.
 */
import { createActor, createMachine } from 'xstate';
import { scenarioOf } from '../src/simulation/simulate.ts';
import { settingsOf } from '../src/simulation/scenario/stage.ts';
import { runTrace, specOf, type Trace } from '../src/simulation/trace.ts';
import { loadedPool } from './loaded-pool.ts';
import { runPlain } from './plain-day.ts';
import { readTrace } from './traces.ts';

const RUNS = 5;
/** Runs after which the JIT has seen it all. */
const WARM_UP = 15;
const KEEP_ALIVE_MS = 300_000;
/** A slower machine at the time of the run shows in the reference, and all figures in seconds scale with it. */
const GOALS_SET_AT = 'set at 190–230 k/s';
const settings = settingsOf(scenarioOf({ models: {}, timeline: [] }), 'default');

/** Whatever else the machine does only adds: the fastest run is the nearest to the truth. */
const fastest = (seconds: readonly number[]): number => Math.min(...seconds);

function secondsOf(work: () => void): number {
  const startMs = performance.now();
  work();
  return (performance.now() - startMs) / 1000;
}

const say = (what: string, figure: string, goal: string): void =>
  void process.stdout.write(`${what.padEnd(66)} ${figure.padStart(16)}   goal: ${goal}\n`);

/** The simplest thing that XState does: what other figures of this run are to be compared with. */
function benchReference(): void {
  const machine = createMachine({
    initial: 'a',
    states: { a: { on: { go: 'b' } }, b: { on: { go: 'a' } } },
  });
  const actor = createActor(machine).start();
  const sends = 100_000;
  const run = (): void => {
    for (let i = 0; i < sends; i++) actor.send({ type: 'go' });
  };
  run();
  const rate = sends / fastest(Array.from({ length: RUNS }, () => secondsOf(run)));
  say('reference: sends to a chart of two states', `${(rate / 1e3).toFixed(0)} k/s`, GOALS_SET_AT);
}

/** The planner and its ledger on plain data, without statecharts. */
function benchPlain(what: string, goal: string, trace: Trace): void {
  const keepAlive = trace.gpusBytes.some((bytes) => bytes > 1e12) ? 1e9 : KEEP_ALIVE_MS;
  const specs = new Map(trace.models.map((model) => [model.name, specOf(model, keepAlive)]));
  let events = 0;
  const times = Array.from({ length: RUNS + WARM_UP }, () =>
    secondsOf(() => (events = runPlain(trace, settings, specs))),
  );
  const rate = events / fastest(times.slice(WARM_UP));
  say(what, `${(rate / 1e6).toFixed(2)} M events/s`, goal);
}

function benchDay(): void {
  const trace = readTrace('team30_2x80');
  benchPlain('planner alone, a day of requests for models that are loaded', '≥ 1 M events/s', {
    ...trace,
    gpusBytes: trace.gpusBytes.map((bytes) => 100 * bytes),
  });
  benchPlain('planner alone, the same day with its 1,000 loads and evictions', '', trace);
  const charts = Array.from({ length: RUNS }, () =>
    secondsOf(() => void runTrace(trace, { settings, keepAlive: KEEP_ALIVE_MS })),
  );
  say(
    `${trace.requests.length} requests on 2 × 80 GB through the statecharts`,
    `${fastest(charts).toFixed(2)} s`,
    '< 3 s',
  );
}

/** Mean cost in µs of one request and its end, with so many others in the queue and so many runners loaded. */
function costOfRequest(load: { queued: number; runners: number }): number {
  const { scheduler, request } = loadedPool(load);
  const cycles = 2_000;
  const run = (): void => {
    for (let i = 0; i < cycles; i++) request()();
  };
  run();
  const costs = Array.from({ length: RUNS }, () => (secondsOf(run) / cycles) * 1e6);
  scheduler.stop();
  return fastest(costs);
}

function benchGrowth(): void {
  const base = costOfRequest({ queued: 10, runners: 10 });
  const queued = costOfRequest({ queued: 1_000, runners: 10 });
  const runners = costOfRequest({ queued: 10, runners: 300 });
  say('one request and its end, 10 queued, 10 runners', `${base.toFixed(0)} µs`, '');
  say('the same with 1,000 queued', `${(queued / base).toFixed(2)} ×`, '< 2 ×');
  say('the same with 300 runners', `${(runners / base).toFixed(2)} ×`, '< 2 ×');
}

benchReference();
benchDay();
benchGrowth();
