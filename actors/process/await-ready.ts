import { fromPromise } from 'xstate';
import type { Effects, ReadyReport, ReadySpec } from '../../machines/effects.ts';
import type { Endpoint, HealthQuestion } from '../../machines/vocabulary.ts';
import { askRunner } from './ask-runner.ts';
import { ForeignListener } from './connect-runner.ts';
import { pauseBeforeAsking } from './readiness-pace.ts';

const ANSWER_WITHIN_MS = 1_000;
/** Until then a runner that lost its port to somebody else has noticed, and ended. */
const FOREIGN_FOR_MS = 30_000;

/** What another program has there is its own business. */
const NOT_TOLD: ReadyReport = { slots: null, contextTokens: null };

/** Asks a process for its health until it is well. "Not yet", in whatever form, is no failure. */
export const awaitReady: Effects['awaitReady'] = fromPromise<ReadyReport, ReadySpec>(
  async ({ input, signal }) => {
    const beganMs = performance.now();
    let foreignSinceMs: number | null = null;
    for (;;) {
      // Both at once: by the time that it is known to be well, most often it has said what it is.
      const [hindrance, report] = await Promise.all([
        hindranceAt(input.endpoint, signal),
        input.endpoint.health ? NOT_TOLD : readProps(input, signal),
      ]);
      if (hindrance === null) return report ?? (await readProps(input, signal)) ?? NOT_TOLD;
      if (!(hindrance instanceof ForeignListener)) foreignSinceMs = null;
      else if (performance.now() - (foreignSinceMs ??= performance.now()) > FOREIGN_FOR_MS) throw hindrance;
      await pause(pauseBeforeAsking(performance.now() - beganMs), signal);
    }
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

/** What the process says of itself; null while it does not, which is no failure. */
async function readProps({ endpoint }: ReadySpec, signal: AbortSignal): Promise<ReadyReport | null> {
  try {
    const question = { path: '/props', withKey: true, signal: within(signal, ANSWER_WITHIN_MS) };
    const props = await askRunner(endpoint, question, async ({ statusCode, body }) => {
      if (statusCode === 200) return (await body.json()) as Props;
      await body.dump();
      return null;
    });
    return (
      props && {
        slots: numberOrNull(props.total_slots),
        contextTokens: numberOrNull(props.default_generation_settings?.n_ctx),
      }
    );
  } catch (error) {
    if (signal.aborted) throw error;
    return null;
  }
}

interface Props {
  readonly total_slots?: unknown;
  readonly default_generation_settings?: { readonly n_ctx?: unknown };
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
