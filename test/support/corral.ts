import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { request } from 'undici';
import { stringify } from 'yaml';
import { startTimeOf } from '../../actors/process/process-identity.ts';
import { findBuiltLlamaServer } from '../../scripts/llama-server-cache.ts';
import { parseConfig } from '../../src/config/load-config.ts';
import { serve, type Served } from '../../src/serve.ts';
import { ledgerOf } from '../../src/ledger-of.ts';

export const realLlamaServer = findBuiltLlamaServer();

/** The kinds of runner process that are here to be tested: the embedded one always, the real one when it was built. */
export const runtimes: readonly ('embedded' | 'llama-server')[] =
  realLlamaServer === null ? ['embedded'] : ['embedded', 'llama-server'];

export interface Corral extends Served {
  readonly folder: string;
  /** Runner states in the order in which they were seen, by runner. */
  readonly traces: ReadonlyMap<string, string[]>;
  /** The most that was ever reserved on a device. */
  readonly peakReserved: () => number;
  post(
    path: string,
    body: object,
  ): Promise<{ status: number; body: Record<string, never>; text: string; headers: Record<string, unknown> }>;
  close(): Promise<void>;
}

/** A Corral in this process, on a free port and in a folder of its own, with real runner processes. */
export async function startCorral(
  runtime: 'embedded' | 'llama-server',
  config: Record<string, unknown>,
  over: Partial<Parameters<typeof serve>[0]> = {},
): Promise<Corral> {
  const folder = await mkdtemp(join(tmpdir(), 'corral-'));
  const { defaults, ...rest } = config;
  const parsed = parseConfig(
    stringify({
      listen: { port: 0 },
      dataFolder: folder,
      llamaServer: runtime === 'llama-server' ? realLlamaServer : '/nowhere/llama-server',
      defaults: { runtime, context: 512, slots: 2, ...(defaults as object) },
      ...rest,
    }),
  );
  const served = await serve({ config: parsed, configPath: null, log: pino({ level: 'silent' }), ...over });
  const traces = new Map<string, string[]>();
  let peak = 0;
  const ledger = () => ledgerOf(served.scheduler);
  served.scheduler.on('runner.changed', ({ runnerId }) => {
    const state = ledger().runners.get(runnerId)?.state;
    const trace = traces.get(runnerId) ?? ['loading'];
    traces.set(runnerId, trace);
    if (state && trace.at(-1) !== state) trace.push(state);
    for (const device of ledger().devices.values()) peak = Math.max(peak, device.reservedBytes);
  });
  return {
    ...served,
    folder,
    traces,
    peakReserved: () => peak,
    post: async (path, body) => {
      const answer = await request(served.url + path, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
        headersTimeout: 0,
        bodyTimeout: 0,
      });
      const text = await answer.body.text();
      return { status: answer.statusCode, text, body: parseOr(text), headers: answer.headers };
    },
    close: async () => {
      await served.stop(0);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function parseOr(text: string): Record<string, never> {
  try {
    return JSON.parse(text) as Record<string, never>;
  } catch {
    return {};
  }
}

/** Waits until something is so; fails with its name when it is not in time. */
export async function until(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  withinMs = 20_000,
): Promise<void> {
  const endMs = performance.now() + withinMs;
  while (!(await isSo())) {
    if (performance.now() > endMs) throw new Error(`not so within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Whether a process is there and no zombie. */
export const isRunning = (pid: number): boolean => startTimeOf(pid) !== null;

export const chat = (model: string, over: object = {}): object => ({
  model,
  temperature: 0,
  messages: [{ role: 'user', content: 'hi' }],
  ...over,
});
