import type { IncomingMessage } from 'node:http';
import {
  defaultTextMapGetter,
  defaultTextMapSetter,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Context,
  type Span,
  type TextMapPropagator,
  type Tracer,
} from '@opentelemetry/api';
import type { RequestEnd, RequestEntry } from '../http/request-log.ts';
import type { RequestTrace } from '../http/request-trace.ts';
import type { Lease } from '../lease.ts';

const UPSTREAM = '/upstream/';

/** As OpenTelemetry's conventions for generative models call what is done; the longer paths first. */
const operations: readonly (readonly [RegExp, string])[] = [
  [/\/(?:input_tokens|count_tokens)$/, 'count_tokens'],
  [/\/(?:chat\/completions|messages|responses|api\/chat)$/, 'chat'],
  [/\/(?:completions?|infill|api\/generate)$/, 'text_completion'],
  [/\/(?:embeddings?|api\/embed)$/, 'embeddings'],
  [/\/rerank(?:ing)?$/, 'rerank'],
];

const operationOf = (path: string): string | null =>
  operations.find(([pattern]) => pattern.test(path))?.[1] ?? null;

/**
 * One request as spans: the server's, and below it each wait (with the load that was part of it) and each time that it was
 * forwarded. Names, times and sizes; never a body.
 */
export class SpanTrace implements RequestTrace {
  readonly #tracer: Tracer;
  readonly #propagator: TextMapPropagator;
  readonly #span: Span;
  readonly #context: Context;
  #wait: Span | null = null;
  #forward: Span | null = null;
  headers: Readonly<Record<string, string>> = {};

  constructor(tracer: Tracer, propagator: TextMapPropagator, request: IncomingMessage, path: string) {
    this.#tracer = tracer;
    this.#propagator = propagator;
    const method = request.method ?? '';
    const parent = propagator.extract(ROOT_CONTEXT, request.headers, defaultTextMapGetter);
    this.#span = tracer.startSpan(
      // A model's name in the path would make each model an operation of its own.
      `${method} ${path.startsWith(UPSTREAM) ? `${UPSTREAM}{model}` : path}`,
      {
        kind: SpanKind.SERVER,
        attributes: { 'http.request.method': method, 'url.path': path },
      },
      parent,
    );
    this.#context = trace.setSpan(parent, this.#span);
  }

  waiting(): void {
    this.#wait = this.#tracer.startSpan('wait', {}, this.#context);
  }

  forwarding({ runnerId, model, waitMs, loadMs }: Lease): void {
    const nowMs = Date.now();
    const attributes = { 'corral.runner': runnerId, 'corral.model': model };
    if (this.#wait && loadMs > 0)
      this.#tracer
        .startSpan(
          'load',
          { startTime: nowMs - loadMs, attributes },
          trace.setSpan(this.#context, this.#wait),
        )
        .end(nowMs);
    this.#wait?.setAttributes({ ...attributes, 'corral.wait_ms': Math.round(waitMs) }).end();
    this.#wait = null;
    const forward = this.#tracer.startSpan('forward', { kind: SpanKind.CLIENT, attributes }, this.#context);
    const headers: Record<string, string> = {};
    this.#propagator.inject(trace.setSpan(this.#context, forward), headers, defaultTextMapSetter);
    this.#forward = forward;
    this.headers = headers;
  }

  forwarded(how: string): void {
    this.#forward?.setAttribute('corral.result', how);
    if (how.startsWith('lost')) this.#forward?.setStatus({ code: SpanStatusCode.ERROR });
    this.#forward?.end();
    this.#forward = null;
  }

  ended(entry: RequestEntry, { status, api, usage = {} }: RequestEnd): void {
    const isError = status >= 500 || entry.outcome === 'upstream-lost';
    // It got no runner: refused while it waited, or its client left.
    this.#wait?.setAttribute('corral.result', entry.outcome).end();
    this.#forward?.end();
    const { inputTokens, outputTokens } = usage;
    const operation = operationOf(entry.path);
    this.#span.setAttributes({
      'http.response.status_code': status,
      'corral.api': api,
      'corral.outcome': entry.outcome,
      'corral.attempts': entry.attempts,
      'corral.stream': entry.stream,
      'corral.wait_ms': entry.waitMs,
      'corral.load_ms': entry.loadMs,
      'http.request.body.size': entry.requestBytes,
      'http.response.body.size': entry.replyBytes,
      ...(operation !== null && { 'gen_ai.operation.name': operation }),
      ...(inputTokens !== undefined && { 'gen_ai.usage.input_tokens': inputTokens }),
      ...(outputTokens !== undefined && { 'gen_ai.usage.output_tokens': outputTokens }),
      ...(entry.model !== null && { 'gen_ai.request.model': entry.model }),
      ...(entry.runnerId !== null && { 'corral.runner': entry.runnerId }),
      ...(entry.firstByteMs !== null && { 'corral.first_byte_ms': entry.firstByteMs }),
    });
    if (isError) this.#span.setStatus({ code: SpanStatusCode.ERROR, message: entry.outcome });
    this.#span.end();
  }
}
