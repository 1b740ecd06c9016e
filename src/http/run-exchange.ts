import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { Failure } from '../../machines/failures.ts';
import { ServiceError } from '../errors.ts';
import { beginExchange, type Exchange } from './exchange.ts';
import type { Family } from './families.ts';
import { problemOf, problemOfFailure, RequestError } from './openai-errors.ts';
import { endWithProblem, sendProblemEarly } from './replies.ts';
import { logRequest, type OnRequestEnd, type Outcome } from './request-log.ts';

/** One request to be served, and who hears of it. */
export interface Job {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** For the log: without the query. */
  readonly path: string;
  /** Whose form errors have. */
  readonly family: Family;
  readonly log: Logger;
  readonly onRequestEnd?: OnRequestEnd | undefined;
  readonly serve: (exchange: Exchange) => Promise<Outcome>;
}

const withdrawn: Failure = { code: 'withdrawn', message: 'The client left.' };

/** Serves a request, answers what goes wrong, and writes its one line at the end of its reply. Never rejects. */
export const runExchange = async (job: Job): Promise<void> => {
  const { request, response, path, family, log, serve } = job;
  const exchange = beginExchange(request, response, path);
  const { entry } = exchange;
  try {
    entry.outcome = await serve(exchange);
  } catch (error) {
    refuse(exchange, error, family, log);
  }
  await exchange.closed;
  if (exchange.gone.aborted && entry.outcome !== 'upstream-lost') entry.outcome = 'client-gone';
  const end = {
    status: response.headersSent ? response.statusCode : problemOfFailure(withdrawn).status,
    durationMs: Math.round(exchange.elapsedMs()),
    api: family.name,
  };
  logRequest(log, entry, end);
  job.onRequestEnd?.(entry, end);
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
