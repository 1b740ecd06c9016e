import { Counter, Histogram, type Registry } from 'prom-client';
import type { OnRequestEnd } from '../http/request-log.ts';

/** In place of a model that no configuration knows: what clients make up must not become a time series each. */
export const NO_MODEL = '(none)';

/** From a cached token to a long generation. */
const DURATION_BUCKETS = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 60, 120, 300, 600, 1_800];
const FIRST_BYTE_BUCKETS = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 60, 120, 300];

/**
 * Counts requests as they are logged, once each at their end. `modelOf` tells the configured name of what a client asked
 * for; undefined when there is none.
 */
export function requestMetrics(
  registry: Registry,
  modelOf: (name: string) => string | undefined,
): OnRequestEnd {
  const registers = [registry];
  const requests = new Counter({
    name: 'corral_requests_total',
    help: 'Requests to models that have ended. status: 2xx, 4xx or 5xx, 499 of a client that left included.',
    labelNames: ['model', 'api', 'status', 'outcome'],
    registers,
  });
  const durations = new Histogram({
    name: 'corral_request_seconds',
    help: "From a request's arrival to the end of its reply.",
    labelNames: ['model', 'api'],
    buckets: DURATION_BUCKETS,
    registers,
  });
  const firstBytes = new Histogram({
    name: 'corral_first_byte_seconds',
    help: "From a request's arrival to its runner's first response byte.",
    labelNames: ['model'],
    buckets: FIRST_BYTE_BUCKETS,
    registers,
  });
  const retries = new Counter({
    name: 'corral_retries_total',
    help: 'Further attempts for requests whose runner was lost before it answered.',
    labelNames: ['model'],
    registers,
  });
  return (entry, { status, durationMs, api }) => {
    // A look at a model that is not loaded reaches none.
    if (entry.outcome === 'not-loaded') return;
    const model = (entry.model === null ? undefined : modelOf(entry.model)) ?? NO_MODEL;
    requests.inc({ model, api, status: `${Math.floor(status / 100)}xx`, outcome: entry.outcome });
    durations.observe({ model, api }, durationMs / 1000);
    if (entry.firstByteMs !== null) firstBytes.observe({ model }, entry.firstByteMs / 1000);
    if (entry.attempts > 1) retries.inc({ model }, entry.attempts - 1);
  };
}
