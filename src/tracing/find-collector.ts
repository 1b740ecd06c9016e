import type { Config } from '../config/schema.ts';

const TRACES_PATH = '/v1/traces';

/** Where spans go, and which share of the traces that begin here is kept. */
export interface Collector {
  readonly url: string;
  readonly sampleRate: number;
}

/**
 * The collector that is configured, else that of OpenTelemetry's own environment variables; null when there is none or
 * `OTEL_SDK_DISABLED` is set.
 */
export function findCollector({ tracing }: Config, env: NodeJS.ProcessEnv): Collector | null {
  if (env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true') return null;
  const url = urlOf(tracing.endpoint, env);
  return url === null ? null : { url, sampleRate: tracing.sampleRate };
}

function urlOf(configured: string | undefined, env: NodeJS.ProcessEnv): string | null {
  const { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: exact, OTEL_EXPORTER_OTLP_ENDPOINT: base } = env;
  if (configured !== undefined) return withPath(configured);
  if (exact) return exact;
  return base ? `${base.replace(/\/+$/, '')}${TRACES_PATH}` : null;
}

/** `http://host:4318` becomes `http://host:4318/v1/traces`; an address with a path is taken as it is. */
function withPath(endpoint: string): string {
  const url = new URL(endpoint);
  if (url.pathname === '/') url.pathname = TRACES_PATH;
  return url.href;
}
