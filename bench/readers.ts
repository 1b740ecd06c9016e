/**
 * `npm run bench:readers`: whether people who look on slow down those who work. One hot model is asked one request after the other
 * while other models come and go; in turns nobody watches, and 500 WebSocket readers do, 50 of which do not read.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Connection } from './proxy/connection.ts';
import { Contest, pinBench, type Contestant } from './proxy/contestants.ts';
import { latencies, quantile } from './proxy/measure.ts';
import { cpuMs, residentMiB } from './proxy/process-figures.ts';
import { chatRequest } from './proxy/requests.ts';
import type { Done, Order } from './readers/crowd.ts';

const READERS = 500;
const STALLED = 50;
const ROUNDS = 8;
/** Of one round: some 100 a second, which is much for models. */
const REQUESTS = 400;
const PAUSE_MS = 8;
const WARM_UP_REQUESTS = 5_000;
/** A model that is not loaded is asked for so often; it takes the place of another. */
const CHURN_EVERY_MS = 500;
const CHURNING = ['churn-1', 'churn-2', 'churn-3', 'churn-4', 'churn-5', 'churn-6'];
const LOG_LINES_PER_SECOND = 100;

async function askOnce(port: number, model: string): Promise<void> {
  const connection = await Connection.to(port);
  await connection.send(chatRequest({ model })).finally(() => connection.close());
}

/** Asks for one model after the other, until it is told to stop. */
function churn({ port }: Contestant): () => void {
  let turn = 0;
  const timer = setInterval(() => {
    const model = CHURNING[turn++ % CHURNING.length] ?? '';
    // A load that takes longer than a turn is put off, or refused: that is churn too.
    void askOnce(port, model).catch(() => undefined);
  }, CHURN_EVERY_MS);
  return () => clearInterval(timer);
}

async function tell(crowd: ChildProcess, order: Order): Promise<Done> {
  crowd.send(order);
  const [done] = (await once(crowd, 'message')) as [Done];
  return done;
}

const say = (what: string, ...figures: string[]): void =>
  void process.stdout.write(`${what.padEnd(44)}${figures.map((one) => one.padStart(16)).join('')}\n`);

const sorted = (numbers: readonly number[]): number[] => numbers.toSorted((a, b) => a - b);
const shown = (value: number, digits = 0): string => value.toFixed(digits);

async function measure(contest: Contest, crowd: ChildProcess): Promise<void> {
  const corral = await contest.corral({ churning: CHURNING, logLinesPerSecond: LOG_LINES_PER_SECOND });
  const direct = contest.direct();
  const url = `ws://127.0.0.1:${corral.port}/api/v1/ws`;
  const stop = churn(corral);
  await latencies(corral, WARM_UP_REQUESTS);
  const straight: number[] = [];
  const alone = new Watched(corral);
  const watched = new Watched(corral);
  let messages = 0;
  let connected = READERS;
  for (let round = 0; round < ROUNDS; round++) {
    straight.push(...(await latencies(direct, REQUESTS, PAUSE_MS)));
    await alone.round();
    await tell(crowd, { kind: 'come', url, count: READERS, stalled: STALLED });
    await watched.round();
    const done = await tell(crowd, { kind: 'leave' });
    messages += done.messages;
    connected = Math.min(connected, done.connected);
  }
  stop();
  report(quantile(sorted(straight), 0.5), alone, watched);
  say('messages read; fewest readers connected', String(messages), String(connected));
}

/** What Corral did in the rounds of one kind. */
class Watched {
  readonly #corral: Contestant;
  readonly #us: number[] = [];
  #cpuMs = 0;
  #tookMs = 0;
  mostMiB = 0;

  constructor(corral: Contestant) {
    this.#corral = corral;
  }

  async round(): Promise<void> {
    const pid = this.#corral.pid ?? 0;
    const startMs = performance.now();
    const startCpuMs = cpuMs(pid);
    this.#us.push(...(await latencies(this.#corral, REQUESTS, PAUSE_MS)));
    this.#cpuMs += cpuMs(pid) - startCpuMs;
    this.#tookMs += performance.now() - startMs;
    this.mostMiB = Math.max(this.mostMiB, residentMiB(pid));
  }

  latency(q: number): number {
    return quantile(sorted(this.#us), q);
  }

  get cpuShare(): number {
    return this.#cpuMs / this.#tookMs;
  }
}

function report(directUs: number, alone: Watched, watched: Watched): void {
  say('', 'nobody watches', `${READERS} watch`, 'ratio');
  for (const [name, q] of [
    ['p50', 0.5],
    ['p90', 0.9],
    ['p99', 0.99],
  ] as const) {
    const [a, b] = [alone.latency(q) - directUs, watched.latency(q) - directUs];
    say(`latency ${name}, added to direct, µs`, shown(a), shown(b), `${(b / a).toFixed(2)} ×`);
  }
  say('CPU of Corral, % of a core', shown(100 * alone.cpuShare, 1), shown(100 * watched.cpuShare, 1));
  say('memory of Corral at its most, MiB', shown(alone.mostMiB), shown(watched.mostMiB));
}

pinBench();
const crowd = fork(fileURLToPath(new URL('readers/crowd.js', import.meta.url)));
const contest = new Contest();
try {
  await measure(contest, crowd);
} finally {
  crowd.kill();
  await contest.end();
}
