import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import type { LeaseDesk } from '../lease.ts';
import { answerClientError } from './client-errors.ts';
import type { HttpLimits } from './limits.ts';
import type { ModelListing } from './model-list.ts';
import { createOllama } from './ollama/handler.ts';
import { problemOf } from './openai-errors.ts';
import type { Page } from './page.ts';
import { createProxy } from './proxy.ts';
import { BodyBudget, declaredBytes } from './read-body.ts';
import { sendProblem } from './replies.ts';
import type { OnRequestEnd } from './request-log.ts';
import { createRouter, type Handler, type Health } from './router.ts';
import { UpstreamPools } from './upstream-pools.ts';

/** How often connections are checked against their time limits; Node's own default is 30 s. */
const MAX_CHECK_INTERVAL_MS = 5_000;

/** What the HTTP side is given. */
export interface HttpServerOptions {
  readonly desk: LeaseDesk;
  /** Asked on each request that lists or names models. */
  readonly models: () => readonly ModelListing[];
  /** Answers everything under `/api/v1/`; without it that is a 404. */
  readonly management?: Handler;
  /** Answers `GET /metrics` unless it asks for the metrics of one model's runner. */
  readonly metrics?: Handler;
  /** What browsers are shown at `/`; a few words without it. */
  readonly page?: Page;
  /** Told of each request that was to be answered by a runner. */
  readonly onRequestEnd?: OnRequestEnd;
  /** What `/health` says; `ok` without it. */
  readonly health?: () => Health;
  /** Pass one's own to close a runner's connections when it goes. Closed with the server either way. */
  readonly pools?: UpstreamPools;
  readonly limits: HttpLimits;
  readonly log: Logger;
  readonly version: string;
}

/** The server that clients speak to: data path, model list, health. It does not listen yet. */
export const createHttpServer = (options: HttpServerOptions): Server => {
  const { limits, log, pools = new UpstreamPools() } = options;
  const { desk, models, version } = options;
  const parts = {
    desk,
    pools,
    budget: new BodyBudget(limits.maxHeldBytes),
    limits,
    modelNames: () => models().map(({ name }) => name),
    log,
    onRequestEnd: options.onRequestEnd,
  };
  const route = createRouter({
    ...options,
    health: options.health ?? (() => 'ok'),
    proxy: createProxy(parts),
    ollama: createOllama({ ...parts, models, version }),
  });
  const latestReplies = new WeakMap<Duplex, ServerResponse>();

  const noteReplyError = (err: Error): void => log.debug({ event: 'reply.failed', err });
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    latestReplies.set(request.socket, response);
    response.on('error', noteReplyError);
    try {
      route(request, response);
    } catch (err) {
      log.error({ event: 'request.failed', err });
      sendProblem(response, problemOf(err));
    }
  };
  const isReplying = (socket: Duplex): boolean => {
    const reply = latestReplies.get(socket);
    return reply !== undefined && reply.headersSent && !reply.writableFinished;
  };

  const server = createServer(
    {
      maxHeaderSize: limits.maxHeaderBytes,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      connectionsCheckingInterval: Math.min(limits.headersTimeoutMs, MAX_CHECK_INTERVAL_MS),
    },
    handle,
  );
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    // A body that is refused anyway is not asked for.
    if (declaredBytes(request) <= limits.maxBodyBytes) response.writeContinue();
    handle(request, response);
  });
  server.on('clientError', (error, socket) => answerClientError(error, socket, isReplying(socket)));
  server.on('close', () => pools.dropAll());
  return server;
};
