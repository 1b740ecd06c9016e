import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Logger } from 'pino';
import type { Guard } from '../auth/guard.ts';
import type { LeaseDesk } from '../lease.ts';
import type { ModelNaming } from '../model-naming.ts';
import { answerClientError } from './client-errors.ts';
import { CountedResponse } from './counted-response.ts';
import { createGate, type Gate } from './gate.ts';
import type { HttpLimits } from './limits.ts';
import { namesOf, type ModelListing } from './model-list.ts';
import { createOllama } from './ollama/handler.ts';
import { ModelCards } from './ollama/model-cards.ts';
import { Translator } from './ollama/translator.ts';
import { createOthers } from '../others/others.ts';
import type { ControlParts } from '../others/parts.ts';
import { problemOf } from './openai-errors.ts';
import type { Page } from './page.ts';
import { createProxy } from './proxy.ts';
import type { Observers } from './run-exchange.ts';
import { BodyBudget, declaredBytes } from './read-body.ts';
import { sendProblem } from './replies.ts';
import { createRouter, type Handler, type Health } from './router.ts';
import { tidyTarget } from './tidy-target.ts';
import { followTlsFiles, readTlsFiles, type TlsPaths } from './tls-files.ts';
import { Turns } from './turns.ts';
import { UpstreamPools } from './upstream-pools.ts';

/** How often connections are checked against their time limits; Node's own default is 30 s. */
const MAX_CHECK_INTERVAL_MS = 5_000;
const TELL_DROPS_EVERY_MS = 10_000;

/** What the HTTP side is given. */
export interface HttpServerOptions extends Observers {
  readonly desk: LeaseDesk;
  /** Asked on each request that lists or names models. */
  readonly models: () => readonly ModelListing[];
  /** What a request that names this, or nothing, is served by; without it what it names. */
  readonly choose?: ModelNaming['choose'];
  /** Which model serves a path that llama-server does not have; none does without it. */
  readonly ofPath?: ModelNaming['ofPath'];
  /** Answers everything under `/api/v1/`; without it that is a 404. */
  readonly management?: Handler;
  /** What clients of other servers see and do of models goes by these; they are told 404 without. */
  readonly control?: ControlParts;
  /** Answers `GET /metrics` unless it asks for the metrics of one model's runner. */
  readonly metrics?: Handler;
  /** What browsers are shown at `/`; a few words without it. */
  readonly page?: Page;
  /** Answers `GET /inspect`: the page with Stately's hosted inspector. */
  readonly bridgePage?: (response: ServerResponse) => void;
  /** Whether a request came by the port that clients of Ollama look for; none does without it. */
  readonly isOllamas?: (request: IncomingMessage) => boolean;
  /** What `/health` says; `ok` without it. */
  readonly health?: () => Health;
  /** Pass one's own to close a runner's connections when it goes. Closed with the server either way. */
  readonly pools?: UpstreamPools;
  /** Who may come in; everybody without it. */
  readonly guard?: Guard;
  /** Speaks https with these; http without. */
  readonly tls?: TlsPaths | null;
  readonly limits: HttpLimits;
  readonly version: string;
}

/** The server that clients speak to. It does not listen yet. Throws a `ConfigError` for TLS files that cannot be used. */
export const createHttpServer = (options: HttpServerOptions): Server => {
  const { limits, log, guard, tls = null, pools = new UpstreamPools() } = options;
  const { desk, models, version } = options;
  const translator = new Translator();
  const parts = {
    desk,
    pools,
    budget: new BodyBudget(limits.maxHeldBytes),
    limits,
    modelNames: () => models().map(({ name }) => name),
    allNames: () => namesOf(models()),
    choose: options.choose ?? asNamed,
    ofPath: options.ofPath ?? (() => null),
    translator,
    log,
    onRequestEnd: options.onRequestEnd,
    beginTrace: options.beginTrace,
    beginCapture: options.beginCapture,
  };
  const cards = new ModelCards();
  const { control } = options;
  const router = createRouter({
    ...options,
    cards,
    ...(control && { others: createOthers({ ...parts, ...control, models, cards, version }) }),
    isDeclared: (path) => parts.ofPath(path) !== null,
    health: options.health ?? (() => 'ok'),
    proxy: createProxy(parts),
    ollama: createOllama({ ...parts, models, version, cards }),
  });
  const gate: Gate = guard ? createGate(guard, log, options.isOllamas) : async () => true;
  const turns = new Turns();

  const noteReplyError = (err: Error): void => log.debug({ event: 'reply.failed', err });
  const serve = async (
    request: IncomingMessage,
    response: ServerResponse,
    askForBody = (): void => {},
  ): Promise<void> => {
    response.on('error', noteReplyError);
    const turn = turns.wait(request, response);
    if (turn && !(await turn)) return;
    try {
      request.url = tidyTarget(request.url ?? '/');
      const target = router.find(request);
      if (!(await gate(request, response, target))) return;
      // A body that is refused anyway is not asked for.
      if (declaredBytes(request) <= limits.maxBodyBytes) askForBody();
      target.handle(request, response);
    } catch (err) {
      log.error({ event: 'request.failed', err });
      sendProblem(response, problemOf(err));
    }
  };
  const server = bareServer(limits, tls, log);
  server.on('request', (request, response) => void serve(request, response));
  server.on(
    'checkContinue',
    (request, response) => void serve(request, response, () => response.writeContinue()),
  );
  server.on('clientError', (error, socket) => answerClientError(error, socket, turns.isReplying(socket)));
  server.on('drop', warnNowAndThen(log, limits.maxConnections));
  server.on('close', () => {
    pools.dropAll();
    translator.close();
  });
  return server;
};

const asNamed: ModelNaming['choose'] = (model) => (model === undefined ? null : { model, variant: null });

const bareServer = (limits: HttpLimits, tls: TlsPaths | null, log: Logger): Server => {
  const options = {
    ServerResponse: CountedResponse,
    maxHeaderSize: limits.maxHeaderBytes,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    connectionsCheckingInterval: Math.min(limits.headersTimeoutMs, MAX_CHECK_INTERVAL_MS),
  };
  const server = tls ? secureServer(options, tls, log) : createServer(options);
  server.maxConnections = limits.maxConnections;
  return server;
};

const secureServer = (options: ServerOptions, tls: TlsPaths, log: Logger): Server => {
  const server = createSecureServer({ ...options, ...readTlsFiles(tls) });
  return server.on('close', followTlsFiles(server, tls, log));
};

/** Connections beyond the limit are closed by Node as they come; that is told, but not each time. */
const warnNowAndThen = (log: Logger, maxConnections: number): (() => void) => {
  let dropped = 0;
  let toldAtMs = -Infinity;
  return () => {
    dropped++;
    const nowMs = performance.now();
    if (nowMs - toldAtMs < TELL_DROPS_EVERY_MS) return;
    log.warn({ event: 'connections.dropped', dropped, maxConnections });
    dropped = 0;
    toldAtMs = nowMs;
  };
};
