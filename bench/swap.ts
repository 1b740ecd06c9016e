/**
 * `npm run bench:swap`: what a change of models takes beside the processes themselves. A lone client asks two models of which one fits, by
 * turns; the program that serves notes when it starts, is ready and has ended. Then what the client sees, beside llama-server's own router.
 */
import { existsSync } from 'node:fs';
import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { request } from 'undici';
import { findBuiltLlamaServer } from '../scripts/llama-server-cache.ts';
import { findRealModel } from '../scripts/real-model-cache.ts';
import { quantile } from './proxy/measure.ts';
import { corral } from './race/contenders/corral.ts';
import { router } from './race/contenders/router.ts';
import { figuresOf, tableOf, type Figures } from './race/figures.ts';
import { play } from './race/play.ts';
import { closeStage, loadsOn, openStage, type Runner } from './race/stage.ts';
import { readWorkload } from './race/workload.ts';
import { gapsOf, type Gap } from './swap/gaps.ts';
import { momentsOf, noteMoments } from './swap/noting-program.ts';

const CHANGES = Number(process.env['CHANGES'] ?? 30);
const SECONDS = Number(process.env['SECONDS'] ?? 20);
const FAKE_LOAD_MS = 400;

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const say = (text = ''): void => void process.stdout.write(`${text}\n`);
const own = corral('Corral', here('../dist/src/cli/main.js'));
const workload = readWorkload('alternate');

const fake: Runner = {
  name: `a fake runner (loads ${FAKE_LOAD_MS} ms)`,
  command: [process.execPath, here('../dist/bench/race/fake-runner.js')],
  env: { FAKE_LOAD_MS: String(FAKE_LOAD_MS), FAKE_TOKEN_MS: '1' },
  realServer: null,
  modelFiles: [],
};

/** llama-server with real models; what is missing for that, as a text, when it is not here. */
function realRunner(): Runner | string {
  const server = findBuiltLlamaServer();
  const files = [findRealModel('smollm2'), findRealModel('gemma')].filter((path) => path !== null);
  if (server === null) return 'no llama-server: npm run llama-server builds it';
  if (files.length < 2 || !files.every((path) => existsSync(path)))
    return 'no real models: npm run real-models fetches them';
  const [name, env] = ['llama-server and real models', { LLAMA_ARG_THREADS: '1' }];
  return { name, command: [server], env, realServer: server, modelFiles: files };
}

/** Asks the two models by turns; a question that needs no computing, so that the first byte comes as soon as it is passed on. */
async function changeModels(runner: Runner): Promise<Gap[]> {
  const stage = await openStage(workload, runner);
  noteMoments(stage, runner.command);
  const started = await own.start(stage);
  const firstBytes: number[] = [];
  try {
    for (let turn = 0; turn <= CHANGES; turn++) {
      const model = stage.models[turn % 2]?.name ?? '';
      const { statusCode, body } = await request(`${started.url}/upstream/${model}/tokenize`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"content":"word"}',
        headersTimeout: 0,
      });
      firstBytes.push(Date.now());
      const text = await body.text();
      if (statusCode !== 200) throw new Error(`${model} answers ${statusCode}: ${text.slice(0, 200)}`);
    }
    return gapsOf(momentsOf(stage), firstBytes);
  } finally {
    await started.end();
    closeStage(stage);
  }
}

function sayGaps(runner: Runner, gaps: readonly Gap[]): void {
  const rows: readonly (readonly [string, (gap: Gap) => number])[] = [
    ['exit of the one → start of the next', (gap) => gap.exitToStartMs],
    ['ready → first byte', (gap) => gap.readyToFirstByteMs],
    ['together', (gap) => gap.exitToStartMs + gap.readyToFirstByteMs],
  ];
  say(`\n## ${gaps.length} changes on ${runner.name}; ms\n`);
  say(`| ${''.padEnd(36)} | median |  p95 |\n| ${'-'.repeat(36)} | -----: | ---: |`);
  for (const [what, of] of rows) {
    const sorted = gaps.map(of).toSorted((a, b) => a - b);
    const [median, p95] = [quantile(sorted, 0.5), quantile(sorted, 0.95)].map((ms) => ms.toFixed(1));
    say(`| ${what.padEnd(36)} | ${median?.padStart(6)} | ${p95?.padStart(4)} |`);
  }
}

/** First tokens of a lone client that changes models, at Corral and at llama-server's own router. */
async function besideRouter(runner: Runner): Promise<void> {
  const rows: [string, Figures][] = [];
  for (const contender of [own, router]) {
    const stage = await openStage(workload, runner);
    const started = await contender.start(stage);
    try {
      const answers = await play(workload, started.url, SECONDS);
      rows.push([contender.name, figuresOf(workload, answers, started.countLoads?.() ?? loadsOn(stage))]);
    } finally {
      await started.end();
      closeStage(stage);
    }
  }
  say(`\n## A lone client that changes models, first tokens in ms, ${SECONDS} s each\n\n${tableOf(rows)}`);
}

say(`Load average before: ${loadavg()[0]?.toFixed(1)}`);
sayGaps(fake, await changeModels(fake));
const real = realRunner();
if (typeof real === 'string') say(`\nLEFT OUT: ${real}`);
else {
  sayGaps(real, await changeModels(real));
  await besideRouter(real);
}
