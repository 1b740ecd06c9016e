import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { Failure } from '../../machines/failures.ts';
import { ServiceError } from '../errors.ts';
import type { Lease, LeaseDesk } from '../lease.ts';
import { beginExchange, type Exchange } from './exchange.ts';
import { forward, type ForwardResult } from './forward.ts';
import type { HttpLimits } from './limits.ts';
import { errorBody, problemOf, problemOfFailure, RequestError } from './openai-errors.ts';
import type { BodyBudget } from './read-body.ts';
import { receiveCall, type Call } from './receive-call.ts';
import { sendProblem, sendProblemEarly } from './replies.ts';
import { logRequest, type Outcome } from './request-log.ts';
import type { UpstreamPools } from './upstream-pools.ts';

/** How long to wait for the reason of a broken connection: the connection's end is often seen before the process's. */
const LOSS_REASON_WITHIN_MS = 500;
const MAX_ATTEMPTS = 2;

/** What the data path is made of. */
export interface ProxyParts {
  readonly desk: LeaseDesk;
  readonly pools: UpstreamPools;
  readonly budget: BodyBudget;
  readonly limits: HttpLimits;
  /** The names to tell a client that named no model. */
  readonly modelNames: () => readonly string[];
  readonly log: Logger;
}

/** Serves one request whose route is known; resolves when its reply is over. Never rejects. */
export type Proxy = (
  request: IncomingMessage,
  response: ServerResponse,
  route: { readonly path: string; readonly target: string },
) => Promise<void>;

/** Body, lease, forward, release, log: the way of every inference request. */
export const createProxy =
  (parts: ProxyParts): Proxy =>
  async (request, response, route) => {
    const exchange = beginExchange(request, response, route);
    const { entry } = exchange;
    try {
      const call = await receiveCall(exchange, parts);
      try {
        entry.outcome = await serve(parts, exchange, call);
      } finally {
        call.body.drop();
      }
    } catch (error) {
      refuse(parts.log, exchange, error);
    }
    await exchange.closed;
    if (exchange.gone.aborted && entry.outcome !== 'upstream-lost') entry.outcome = 'client-gone';
    logRequest(parts.log, entry, {
      status: response.headersSent ? response.statusCode : problemOfFailure(withdrawn).status,
      durationMs: exchange.elapsedMs(),
    });
  };

const withdrawn: Failure = { code: 'withdrawn', message: 'The client left.' };

/** Leases and forwards, a second time if the first runner was lost before it answered. */
const serve = async (parts: ProxyParts, exchange: Exchange, call: Call): Promise<Outcome> => {
  for (let attempt = 1; ; attempt += 1) {
    const lease = await parts.desk.acquire(
      { model: call.model, ...(attempt > 1 && { isRetry: true }) },
      exchange.gone,
    );
    try {
      const result = await attemptOn(parts, exchange, call, lease);
      if (result.kind === 'complete') return 'ok';
      if (result.kind === 'client-gone' || exchange.gone.aborted) return 'client-gone';
      const failure = result.failure ?? (await reasonOf(parts, lease));
      parts.pools.drop(lease.runnerId);
      if (result.kind === 'lost-in-reply') return endCutReply(exchange, result, failure);
      if (attempt === MAX_ATTEMPTS) return answerLost(exchange, failure);
    } finally {
      lease.release();
    }
  }
};

const attemptOn = (
  { pools }: ProxyParts,
  exchange: Exchange,
  { body }: Call,
  lease: Lease,
): Promise<ForwardResult> => {
  const { entry } = exchange;
  entry.attempts += 1;
  entry.runnerId = lease.runnerId;
  entry.waitMs += Math.round(lease.waitMs);
  entry.loadMs += Math.round(lease.loadMs);
  return forward({ exchange, lease, body, dispatcher: pools.of(lease.runnerId, lease.endpoint.baseUrl) });
};

const reasonOf = async ({ desk }: ProxyParts, lease: Lease): Promise<Failure> =>
  (await desk.lossOf(lease, LOSS_REASON_WITHIN_MS)) ?? {
    code: 'runner_crashed',
    message: `The runner of ${lease.model} closed the connection before its reply was complete.`,
  };

const answerLost = ({ response }: Exchange, failure: Failure): Outcome => {
  sendProblem(response, problemOfFailure(failure));
  return 'upstream-lost';
};

/**
 * Ends a reply that cannot be completed, so that nobody takes it for a whole one: an event stream gets an error event
 * and no `[DONE]`, anything else a broken connection.
 */
const endCutReply = (
  { response }: Exchange,
  { eventStream }: Extract<ForwardResult, { kind: 'lost-in-reply' }>,
  failure: Failure,
): Outcome => {
  if (eventStream) response.end(`${eventStream.lineBreaks}data: ${errorBody(problemOfFailure(failure))}\n\n`);
  else response.destroy();
  return 'upstream-lost';
};

const refuse = (log: Logger, { request, response, gone, entry }: Exchange, error: unknown): void => {
  if (gone.aborted) return;
  const foreseen = error instanceof ServiceError || error instanceof RequestError;
  if (!foreseen) log.error({ event: 'request.failed', err: error, path: entry.path, model: entry.model });
  if (response.headersSent) response.destroy();
  else if (request.complete) sendProblem(response, problemOf(error));
  else sendProblemEarly(request, response, problemOf(error));
};
