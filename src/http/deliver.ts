import type { Failure, FailureCode } from '../../machines/failures.ts';
import type { Lease, LeaseDesk } from '../lease.ts';
import type { Call } from './call.ts';
import type { Exchange } from './exchange.ts';
import { forward, type Loss } from './forward.ts';
import type { HttpLimits } from './limits.ts';
import { badReply, badRequest, problemOfFailure, RequestError, type HttpProblem } from './openai-errors.ts';
import { endWithProblem } from './replies.ts';
import type { Outcome } from './request-log.ts';
import type { UpstreamPools } from './upstream-pools.ts';
import { WaitingSigns } from './waiting-signs.ts';

/** How long to wait for the reason of a broken connection: the connection's end is often seen before the process's. */
const LOSS_REASON_WITHIN_MS = 500;
const MAX_ATTEMPTS = 2;
/** Somebody wanted the runner gone: a second try would bring its model back. */
const ON_PURPOSE: ReadonlySet<string> = new Set<FailureCode>(['stopped', 'shutting_down']);

export interface DeliveryParts {
  readonly desk: LeaseDesk;
  readonly pools: UpstreamPools;
  readonly limits: HttpLimits;
}

/**
 * Leases and forwards, a second time if the first runner was lost before it answered; the lease of a client that leaves in
 * between ends with the runner's work for it. Rejects, before a reply has begun,
 * with what the desk rejects with.
 */
export const deliver = async (parts: DeliveryParts, exchange: Exchange, call: Call): Promise<Outcome> => {
  for (let attempt = 1; ; attempt += 1) {
    // What the client has not been told of an earlier attempt is void.
    exchange.entry.firstByteMs = null;
    const lease = await obtain(parts, exchange, call, attempt > 1);
    let end = (): void => lease.release();
    try {
      noteAttempt(exchange, lease);
      exchange.trace?.forwarding(lease);
      exchange.usage.forget();
      exchange.capture?.sent(call.body.chunks);
      const reply = call.replyTo(lease);
      const dispatcher = parts.pools.of(lease.runnerId, lease.endpoint);
      const result = await forward({ exchange, call, lease, reply, dispatcher });
      exchange.trace?.forwarded(result.kind);
      if (result.kind === 'complete') return 'ok';
      if (result.kind === 'client-gone' && result.after !== 'nothing')
        end = () => lease.abandon({ hasReplied: result.after === 'reply' });
      if (result.kind === 'client-gone' || exchange.gone.aborted) return 'client-gone';
      const problem = await problemOfLoss(parts.desk, lease, result);
      parts.pools.drop(lease.runnerId);
      if (result.kind === 'lost-in-reply') {
        reply.cut(problem);
        return 'upstream-lost';
      }
      if (attempt === MAX_ATTEMPTS || ON_PURPOSE.has(problem.code)) {
        endWithProblem(exchange.response, problem, call.family);
        return 'upstream-lost';
      }
    } finally {
      end();
    }
  }
};

/** A look at a runner, or a lease: for the latter the client may have to wait. */
const obtain = async (
  parts: DeliveryParts,
  exchange: Exchange,
  call: Call,
  isRetry: boolean,
): Promise<Lease> => {
  const { model, access, method, target } = call;
  const look = access === 'lease' ? null : parts.desk.look(model);
  if (look) return look;
  if (access !== 'look') return acquire(parts, exchange, call, isRetry);
  exchange.entry.outcome = 'not-loaded';
  throw new RequestError(
    badRequest(
      `${model} is not loaded, and ${method} ${target.split('?')[0]} does not load it. Add autoload=true to load it.`,
      'model_not_loaded',
      { status: 409, param: 'model' },
    ),
  );
};

const acquire = async (
  { desk, limits }: DeliveryParts,
  exchange: Exchange,
  { model, wishes, signs }: Call,
  isRetry: boolean,
): Promise<Lease> => {
  const request = { model, ...wishes, ...(isRetry && { isRetry }) };
  exchange.trace?.waiting();
  if (signs === 'none') return desk.acquire(request, exchange.gone);
  const waiting = new WaitingSigns(exchange, desk, limits, signs);
  try {
    return await desk.acquire({ ...request, onQueued: waiting.onQueued }, exchange.gone);
  } finally {
    waiting.stop();
  }
};

const noteAttempt = ({ entry }: Exchange, lease: Lease): void => {
  entry.attempts += 1;
  entry.runnerId = lease.runnerId;
  entry.waitMs += Math.round(lease.waitMs);
  entry.loadMs += Math.round(lease.loadMs);
};

/** What the client is told: that the reply was none, or why its runner went. */
const problemOfLoss = async (
  desk: LeaseDesk,
  lease: Lease,
  { failure, fault }: Loss,
): Promise<HttpProblem> => {
  if (failure) return problemOfFailure(failure);
  if (fault === null) return problemOfFailure(await reasonOf(desk, lease));
  return badReply(`The runner of ${lease.model} sent what is no reply in HTTP: ${fault}.`, 502);
};

const reasonOf = async (desk: LeaseDesk, lease: Lease): Promise<Failure> =>
  (await desk.lossOf(lease, LOSS_REASON_WITHIN_MS)) ?? {
    code: 'runner_crashed',
    message: `The runner of ${lease.model} closed the connection before its reply was complete.`,
  };
