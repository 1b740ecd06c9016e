import type { IncomingMessage, ServerResponse } from 'node:http';
import { callerOf } from '../auth/caller-names.ts';
import { LightSignal, type Signal } from '../signal.ts';
import type { BodyCapture } from './body-capture.ts';
import { ReplyUsage } from './reply-usage.ts';
import { ClientGone } from './openai-errors.ts';
import type { BeginTrace, RequestTrace } from './request-trace.ts';
import { newEntry, type RequestEntry } from './request-log.ts';

/** One proxied request and its reply, with what is known of them so far. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly entry: RequestEntry;
  /** Null where requests are not traced. */
  readonly trace: RequestTrace | null;
  /** What its runner counts of it. */
  readonly usage: ReplyUsage;
  /** Null where bodies are not kept. */
  readonly capture: BodyCapture | null;
  /** Aborts, with `ClientGone`, when the client leaves before its reply is complete. */
  readonly gone: Signal;
  /** Resolves when the reply has been sent or can no longer be. */
  readonly closed: Promise<void>;
  /** Milliseconds since the request arrived. */
  elapsedMs(): number;
}

export interface ExchangeParts {
  readonly beginTrace?: BeginTrace | undefined;
  readonly beginCapture?: (() => BodyCapture | null) | undefined;
}

/** Begins the account of one request to `path`. */
export const beginExchange = (
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  { beginTrace, beginCapture }: ExchangeParts = {},
): Exchange => {
  const startedAtMs = performance.now();
  const gone = new LightSignal();
  const closed = new Promise<void>((resolve) => {
    // The one event that comes exactly once, whether the reply was finished or cut off.
    response.once('close', () => {
      if (!response.writableFinished) gone.abort(new ClientGone());
      resolve();
    });
  });
  return {
    request,
    response,
    entry: newEntry(request.method ?? '', path, callerOf(request)),
    trace: beginTrace?.(request, path) ?? null,
    usage: new ReplyUsage(),
    capture: beginCapture?.() ?? null,
    gone,
    closed,
    elapsedMs: () => performance.now() - startedAtMs,
  };
};
