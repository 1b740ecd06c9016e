import { diag, DiagLogLevel, type DiagLogger } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-base';
import type { Logger } from 'pino';
import type { BeginTrace } from '../http/request-trace.ts';
import type { Collector } from './find-collector.ts';
import { SpanTrace } from './span-trace.ts';

/** For one batch, further tries included; so long may the end of Corral wait, too. */
const SEND_WITHIN_MS = 5_000;
/** A collector that is away is told of this often, not with each batch. */
const TELL_EVERY_MS = 60_000;

/** Characters of an attribute. */
const LONGEST_VALUE = 256;

export interface TracingOptions extends Collector {
  readonly version: string;
  readonly log: Logger;
}

export interface Tracing {
  readonly begin: BeginTrace;
  /** Sends what has not been sent yet; waits for a collector that does not answer for some seconds at most. */
  stop(): Promise<void>;
}

/**
 * Sends spans to an OpenTelemetry collector (OTLP over HTTP). This module loads the whole SDK: it is imported only where
 * there is a collector. The queue of spans is bounded; what does not fit is dropped.
 */
export function startTracing({ url, sampleRate, version, log }: TracingOptions): Tracing {
  const warn = warning(url, log);
  diag.setLogger(logger(warn), { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  const provider = new BasicTracerProvider({
    resource: defaultResource()
      .merge(resourceFromAttributes({ 'service.name': 'corral', 'service.version': version }))
      // OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES win.
      .merge(detectResources({ detectors: [envDetector] })),
    // Paths and names are chosen by whoever asks.
    spanLimits: { attributeValueLengthLimit: LONGEST_VALUE },
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(sampleRate) }),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter({ url, timeoutMillis: SEND_WITHIN_MS }))],
  });
  const tracer = provider.getTracer('corral', version);
  const propagator = new W3CTraceContextPropagator();
  return {
    begin: (request, path) => new SpanTrace(tracer, propagator, request, path),
    stop: () => provider.shutdown().catch((error: unknown) => warn(String(error))),
  };
}

type Warn = (message: string) => void;

function warning(url: string, log: Logger): Warn {
  let toldAtMs = -Infinity;
  return (message) => {
    if (performance.now() - toldAtMs < TELL_EVERY_MS) return;
    toldAtMs = performance.now();
    log.warn({ event: 'tracing.failed', url, message }, 'spans could not be sent to the collector');
  };
}

/** For the SDK's own complaints. */
const logger = (warn: Warn): DiagLogger => ({
  error: warn,
  warn,
  info: () => {},
  debug: () => {},
  verbose: () => {},
});
