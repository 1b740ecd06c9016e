import { fromPromise } from 'xstate';
import { request } from 'undici';
import type { Effects, ReadyReport, ReadySpec } from '../../machines/effects.ts';

const FIRST_POLL_MS = 20;
const SLOWEST_POLL_MS = 250;
const POLL_GROWTH = 1.3;
const ANSWER_WITHIN_MS = 1_000;

/** Asks a process for its health until it is well. "Not yet", in whatever form, is no failure. */
export const awaitReady: Effects['awaitReady'] = fromPromise<ReadyReport, ReadySpec>(
  async ({ input, signal }) => {
    let pauseMs = FIRST_POLL_MS;
    while (!(await isHealthy(input.endpoint.baseUrl, signal))) {
      await pause(pauseMs, signal);
      pauseMs = Math.min(SLOWEST_POLL_MS, pauseMs * POLL_GROWTH);
    }
    return readProps(input, signal);
  },
);

/** Whether `/health` says 200 within a second. */
export async function isHealthy(
  baseUrl: string,
  signal: AbortSignal,
  withinMs = ANSWER_WITHIN_MS,
): Promise<boolean> {
  try {
    const { statusCode, body } = await request(`${baseUrl}/health`, {
      // One connection per question: a kept one could hide that nobody accepts new ones.
      reset: true,
      signal: AbortSignal.any([signal, AbortSignal.timeout(withinMs)]),
    });
    await body.dump();
    return statusCode === 200;
  } catch (error) {
    if (signal.aborted) throw error;
    return false;
  }
}

/** What the process says of itself; silence is no failure. */
async function readProps({ endpoint }: ReadySpec, signal: AbortSignal): Promise<ReadyReport> {
  try {
    const { body } = await request(`${endpoint.baseUrl}/props`, {
      reset: true,
      headers: { authorization: `Bearer ${endpoint.apiKey}` },
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_WITHIN_MS)]),
    });
    const props = (await body.json()) as {
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
