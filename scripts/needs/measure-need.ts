import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { request } from 'undici';
import { heldMemory } from '../../actors/process/resident-bytes.ts';
import { serverArguments } from '../../actors/process/server-arguments.ts';
import type { ModelSpec } from '../../machines/vocabulary.ts';
import { parseConfig } from '../../src/config/load-config.ts';
import { fittedNeed } from '../../src/config/need-of.ts';
import { resolveModels } from '../../src/config/resolve-models.ts';
import type { FitQuestion } from '../../src/fit/fit-question.ts';
import { askFitTool, findFitTool } from '../../src/fit/fit-tool.ts';
import { findRealModel } from '../real-model-cache.ts';
import type { OptionSet } from './option-sets.ts';

/** What one model needs with one set of options, in bytes. */
export interface ComparedNeed {
  readonly predictedBytes: number;
  /** As llama-fit-params says it, with what it does not count; null where it is not asked. */
  readonly fitBytes: number | null;
  /** The same as Corral takes it: without the logits that llama-server does not allocate. */
  readonly correctedBytes: number | null;
  /** Resident, after a prompt as long as the context in each slot. */
  readonly measuredBytes: number;
}

const READY_WITHIN_MS = 60_000;
/** Tokens that every one of the models has, and that mean nothing special to it. */
const WORDS = { first: 2_000, count: 5_000 };
/** Left of a context for the answer, and for marks around the text. */
const SPARE_TOKENS = 8;

/**
 * Runs a real model on the CPU of this machine as Corral would, and compares what it then holds with what was expected of it. The prompt
 * cache is off: how full that is says nothing. Throws an Error where a model or llama-server is missing, or does not start.
 */
export async function compareNeed(set: OptionSet, llamaServer: string): Promise<ComparedNeed> {
  const path = findRealModel(set.model);
  if (path === null) throw new Error('npm run real-models fetches the models');
  const folder = await mkdtemp(join(tmpdir(), 'corral-need-'));
  try {
    const tool = findFitTool(llamaServer);
    const model = { ...set.keys, path, promptCache: 0, placement: 'cpu-only' };
    const { entries } = await resolveModels({
      config: parseConfig(JSON.stringify({ models: { m: model } })),
      folder,
      llamaServer,
      state: { of: () => undefined },
      ...(tool && { fit: { tool, answers: { of: () => undefined } } }),
    });
    const spec = entries[0]?.spec;
    if (!spec) throw new Error(`${path} is no model: ${entries[0]?.problem?.message}`);
    const fit = tool && (await askedOf(entries[0]?.question, tool));
    const measuredBytes = await heldByServer(llamaServer, spec);
    return { predictedBytes: wholeOf(spec), fitBytes: null, correctedBytes: null, ...fit, measuredBytes };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const wholeOf = ({ needBytes, hostBytes = 0 }: Pick<ModelSpec, 'needBytes' | 'hostBytes'>): number =>
  needBytes + hostBytes;

async function askedOf(
  question: FitQuestion | undefined,
  tool: NonNullable<ReturnType<typeof findFitTool>>,
): Promise<Pick<ComparedNeed, 'fitBytes' | 'correctedBytes'> | null> {
  if (!question) return null;
  const rows = await askFitTool(tool, question.args, {});
  return {
    fitBytes: wholeOf(fittedNeed({ ...question, unusedBytes: 0 }, rows)),
    correctedBytes: wholeOf(fittedNeed(question, rows)),
  };
}

async function heldByServer(llamaServer: string, spec: ModelSpec): Promise<number> {
  const port = await freePort();
  const reservation = { CPU: wholeOf(spec) };
  const args = serverArguments({ runnerId: 'r', modelName: 'm', launch: spec.launch, reservation }, port);
  // Two threads that wait for each other are slow where something else runs, too.
  const server = spawn(llamaServer, [...args, '--threads', '1'], { stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  try {
    const url = `http://127.0.0.1:${port}`;
    await ready(url, server);
    await fill(url, spec);
    return (await heldMemory(server.pid ?? 0))?.residentBytes ?? 0;
  } finally {
    server.kill('SIGKILL');
    await ended;
  }
}

async function ready(url: string, server: ChildProcess): Promise<void> {
  const endsAtMs = performance.now() + READY_WITHIN_MS;
  while (performance.now() < endsAtMs && server.exitCode === null) {
    const status = await request(`${url}/health`).then(
      async ({ statusCode, body }) => (await body.dump(), statusCode),
      () => 0,
    );
    if (status === 200) return;
    await pause(50);
  }
  throw new Error(`llama-server did not become ready (exit code ${server.exitCode})`);
}

/** A whole batch at the end of a whole context: no more of it is ever used. */
async function fill(url: string, { launch: { contextTokens, slots, embedding } }: ModelSpec): Promise<void> {
  const text = Array.from(
    { length: contextTokens - SPARE_TOKENS },
    (_, i) => WORDS.first + ((i * 31) % WORDS.count),
  );
  for (let slot = 0; slot < slots; slot++) {
    const [path, body] = embedding
      ? ['/v1/embeddings', { input: text }]
      : ['/completion', { prompt: text, id_slot: slot, n_predict: 2, temperature: 0 }];
    const answer = await request(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const said = await answer.body.text();
    if (answer.statusCode !== 200)
      throw new Error(`${path} says ${answer.statusCode}: ${said.slice(0, 300)}`);
  }
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
