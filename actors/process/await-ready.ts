import { fromPromise } from 'xstate';
import type { Effects, ReadyReport, ReadySpec } from '../../machines/effects.ts';
import type { Endpoint, HealthQuestion } from '../../machines/vocabulary.ts';
import { askRunner } from './ask-runner.ts';
import { ForeignListener } from './connect-runner.ts';
import { pauseBeforeAsking } from './readiness-pace.ts';

const ANSWER_WITHIN_MS = 1_000;
/** Until then a runner that lost its port to somebody else has noticed, and ended. */
const FOREIGN_FOR_MS = 30_000;

/** Asks a process for its health until it is well. "Not yet", in whatever form, is no failure. */
export const awaitReady: Effects['awaitReady'] = fromPromise<ReadyReport, ReadySpec>(
  async ({ input, signal }) => {
    const beganMs = performance.now();
    let foreignSinceMs: number | null = null;
    for (;;) {
      const hindrance = await hindranceAt(input.endpoint, signal);
      if (hindrance === null) break;
      if (!(hindrance instanceof ForeignListener)) foreignSinceMs = null;
      else if (performance.now() - (foreignSinceMs ??= performance.now()) > FOREIGN_FOR_MS) throw hindrance;
      await pause(pauseBeforeAsking(performance.now() - beganMs), signal);
    }
    // What another program has there is its own business.
    return input.endpoint.health ? { slots: null, contextTokens: null } : readProps(input, signal);
  },
);

const OF_LLAMA_SERVER: HealthQuestion = { path: '/health', status: 200 };

/** Whether it says in time that it is well. */
export const isHealthy = async (...asked: Parameters<typeof hindranceAt>): Promise<boolean> =>
  (await hindranceAt(...asked)) === null;

/** Why it does not say in time that it is well; null when it does. */
async function hindranceAt(
  endpoint: Endpoint,
  signal: AbortSignal,
  withinMs = ANSWER_WITHIN_MS,
): Promise<Error | null> {
  try {
    const { path, status } = endpoint.health ?? OF_LLAMA_SERVER;
    const question = { path, withKey: endpoint.health !== undefined, signal: within(signal, withinMs) };
    return await askRunner(endpoint, question, async ({ statusCode, body }) => {
      await body.dump();
      return statusCode === status ? null : new Error(`${path} says ${statusCode}`);
    });
  } catch (error) {
    if (signal.aborted) throw error;
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** What the process says of itself; silence is no failure. */
async function readProps({ endpoint }: ReadySpec, signal: AbortSignal): Promise<ReadyReport> {
  try {
    const question = { path: '/props', withKey: true, signal: within(signal, ANSWER_WITHIN_MS) };
    const props = (await askRunner(endpoint, question, ({ body }) => body.json())) as {
      total_slots?: unknown;
      default_generation_settings?: { n_ctx?: unknown };
    };
    return {
      slots: numberOrNull(props.total_slots),
      contextTokens: numberOrNull(props.default_generation_settings?.n_ctx),
    };
  } catch (error) {
    if (signal.aborted) throw error;
    return { slots: null, contextTokens: null };
  }
}

const within = (signal: AbortSignal, ms: number): AbortSignal =>
  AbortSignal.any([signal, AbortSignal.timeout(ms)]);

const numberOrNull = (value: unknown): number | null =>
  typeof value === 'number' && value > 0 ? value : null;

/** Waits, unless the signal aborts: then it rejects with its reason. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal.addEventListener('abort', stop, { once: true });
  });
}
