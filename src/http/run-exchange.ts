import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { Failure } from '../../machines/failures.ts';
import { ServiceError } from '../errors.ts';
import { bodyBytesOf } from './counted-response.ts';
import { beginExchange, type Exchange, type ExchangeParts } from './exchange.ts';
import type { Family } from './families.ts';
import { problemOf, problemOfFailure, RequestError } from './openai-errors.ts';
import { endWithProblem, sendProblemEarly } from './replies.ts';
import type { BeginTrace } from './request-trace.ts';
import { logRequest, type OnRequestEnd, type Outcome } from './request-log.ts';

/** Who hears of requests. */
export interface Observers {
  readonly log: Logger;
  /** Told of each request at its end. */
  readonly onRequestEnd?: OnRequestEnd | undefined;
  /** Where requests are traced. */
  readonly beginTrace?: BeginTrace | undefined;
  /** Where bodies are kept. */
  readonly beginCapture?: ExchangeParts['beginCapture'];
}

/** One request to be served, and who hears of it. */
export interface Job {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** For the log: without the query. */
  readonly path: string;
  /** Whose form errors have. */
  readonly family: Family;
  readonly observers: Observers;
  readonly serve: (exchange: Exchange) => Promise<Outcome>;
}

const withdrawn: Failure = { code: 'withdrawn', message: 'The client left.' };

/** Serves a request, answers what goes wrong, and writes its one line at the end of its reply. Never rejects. */
export const runExchange = async (job: Job): Promise<void> => {
  const { request, response, path, family, serve, observers } = job;
  const { log, onRequestEnd } = observers;
  const exchange = beginExchange(request, response, path, observers);
  const { entry } = exchange;
  try {
    entry.outcome = await serve(exchange);
  } catch (error) {
    refuse(exchange, error, family, log);
  }
  await exchange.closed;
  entry.replyBytes = bodyBytesOf(response);
  if (exchange.gone.aborted && entry.outcome !== 'upstream-lost') entry.outcome = 'client-gone';
  const end = {
    status: response.headersSent ? response.statusCode : problemOfFailure(withdrawn).status,
    durationMs: Math.round(exchange.elapsedMs()),
    api: family.name,
    usage: exchange.usage.read(),
  };
  logRequest(log, entry, end);
  onRequestEnd?.(entry, end, exchange.capture);
  exchange.trace?.ended(entry, end);
};

const refuse = (
  { request, response, gone, entry }: Exchange,
  error: unknown,
  family: Family,
  log: Logger,
): void => {
  if (gone.aborted) return;
  const foreseen = error instanceof ServiceError || error instanceof RequestError;
  if (!foreseen) log.error({ event: 'request.failed', err: error, path: entry.path, model: entry.model });
  if (entry.firstByteMs !== null) response.destroy();
  else if (request.complete) endWithProblem(response, problemOf(error), family);
  else sendProblemEarly(request, response, problemOf(error), family);
};
