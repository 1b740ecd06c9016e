/**
 * `npm run bench:proxy`: what Corral's data path costs, next to a direct connection, to nginx, and to Go's ReverseProxy where they
 * are installed. All in one run and in turns, before the same fake runner: compare columns, not runs.
 */
import { Contest, pinBench, type Contestant } from './proxy/contestants.ts';
import { latencies, median, quantile, streams, throughput } from './proxy/measure.ts';

const ROUNDS = 5;
const WARM_UP_MS = 2_000;
const LATENCY_REQUESTS = 2_000;
const CONNECTIONS = [16, 64];
const THROUGHPUT_MS = 1_000;
const STREAMS = 128;
const STREAM_ROUNDS = 3;
const PACE = { chunks: 100, everyMs: 20 };
/** As many as one runner serves at a time. */
const MANY_STREAMS = 250;
const SLOW_PACE = { chunks: 6, everyMs: 500 };

const columns = (cells: readonly string[]): string =>
  cells.map((cell, i) => (i === 0 ? cell.padEnd(52) : cell.padStart(12))).join('');
const say = (what: string, cells: readonly string[]): void =>
  void process.stdout.write(`${columns([what, ...cells])}\n`);
const shown = (value: number, digits = 0): string => (Number.isFinite(value) ? value.toFixed(digits) : '–');

/** Measures all in turns, several times; for each the figures of all its rounds. */
async function inTurns<Figure>(
  all: readonly Contestant[],
  rounds: number,
  measure: (contestant: Contestant) => Promise<Figure>,
): Promise<Figure[][]> {
  const figures: Figure[][] = all.map(() => []);
  for (let round = 0; round < rounds; round++)
    for (const [i, contestant] of all.entries()) figures[i]?.push(await measure(contestant));
  return figures;
}

async function compareLatency(all: readonly Contestant[]): Promise<void> {
  const sorted = await inTurns(all, ROUNDS, (one) => latencies(one, LATENCY_REQUESTS));
  for (const [name, q] of [
    ['p50', 0.5],
    ['p99', 0.99],
  ] as const) {
    const values = sorted.map((rounds) => median(rounds.map((round) => quantile(round, q))));
    say(
      `latency ${name}, one at a time, µs`,
      values.map((value) => shown(value)),
    );
    say(
      `  added to direct`,
      values.map((value) => shown(value - (values[0] ?? NaN))),
    );
  }
}

async function compareThroughput(all: readonly Contestant[]): Promise<void> {
  for (const connections of CONNECTIONS) {
    const rounds = await inTurns(all, ROUNDS, (one) => throughput(one, connections, THROUGHPUT_MS));
    const of = (figure: 'perSecond' | 'cpuUsPerRequest'): number[] =>
      rounds.map((one) => median(one.map((round) => round[figure])));
    say(
      `requests/s, ${connections} connections`,
      of('perSecond').map((value) => shown(value)),
    );
    say(
      `CPU per request, ${connections} connections, µs`,
      of('cpuUsPerRequest').map((value) => shown(value, 1)),
    );
  }
}

async function compareStreams(all: readonly Contestant[]): Promise<void> {
  const rounds = await inTurns(all, STREAM_ROUNDS, (one) => streams(one, STREAMS, PACE));
  const rates = rounds.map((one) => median(one.map(({ chunksPerCpuSecond }) => chunksPerCpuSecond)));
  say(
    `stream chunks per CPU second, ${STREAMS} streams`,
    rates.map((value) => shown(value)),
  );
  const many = await inTurns(all, 1, (one) => streams(one, MANY_STREAMS, SLOW_PACE));
  say(
    `memory before, MiB`,
    many.map(([one]) => shown(one?.idleMiB ?? NaN)),
  );
  say(
    `memory with ${MANY_STREAMS} streams, MiB`,
    many.map(([one]) => shown(one?.busyMiB ?? NaN)),
  );
}

pinBench();
const contest = new Contest();
try {
  const corral = await contest.corral();
  const direct = contest.direct();
  const peers = [await contest.nginx(direct), await contest.go(direct)];
  const all = [direct, ...peers.filter((peer) => peer !== null), corral];
  say(
    '',
    all.map(({ name }) => name),
  );
  for (const one of all) await throughput(one, 16, WARM_UP_MS);
  await compareLatency(all);
  await compareThroughput(all);
  await compareStreams(all);
} finally {
  await contest.end();
}
