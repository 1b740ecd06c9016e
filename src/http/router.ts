import type { IncomingMessage, ServerResponse } from 'node:http';
import { apiRoutes, upstreamRoute, type ApiRoute } from './api-routes.ts';
import { openai, type Family } from './families.ts';
import { modelEntry, modelList, type ModelListing } from './model-list.ts';
import { badRequest, problemOf, problemOfFailure } from './openai-errors.ts';
import { ASSETS_PREFIX, wantsPage, type Page } from './page.ts';
import type { Proxy } from './proxy.ts';
import type { Place } from './receive-call.ts';
import { sendJson, sendProblem, sendText } from './replies.ts';
import { decodeName, isUpstreamPath } from './upstream-path.ts';

/** Answers one request. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** Whether the service takes requests. */
export type Health = 'ok' | 'starting' | 'draining';

interface RouterParts {
  readonly models: () => readonly ModelListing[];
  readonly management?: Handler;
  readonly metrics?: Handler;
  /** Shown to browsers at `/`. */
  readonly page?: Page;
  readonly health: () => Health;
  readonly version: string;
  readonly proxy: Proxy;
  /** Answers everything else under `/api/`. */
  readonly ollama: (request: IncomingMessage, response: ServerResponse, path: string) => void;
}

interface Route {
  readonly methods: readonly string[];
  /** Whose form errors have; OpenAI's without it. */
  readonly family?: Family;
  readonly handle: (request: IncomingMessage, response: ServerResponse, place: Place) => void;
}

const MANAGEMENT_PREFIX = '/api/v1/';
const OLLAMA_PREFIX = '/api/';
const MODEL_PREFIX = '/v1/models/';
const readMethods = ['GET', 'HEAD'];

/** Splits a request target, in origin form or in the absolute form that some proxies send. */
const placeOf = (target: string): Place => {
  const fromPath = target.startsWith('/') ? target : target.replace(/^https?:\/\/[^/?]*/i, '');
  const mark = fromPath.indexOf('?');
  return mark === -1
    ? { path: fromPath, query: '' }
    : { path: fromPath.slice(0, mark), query: fromPath.slice(mark) };
};

/** Finds who answers a request, by an exact path or a prefix. */
export const createRouter = (parts: RouterParts): Handler => {
  const routes = new Map<string, Route>();
  for (const [path, route] of apiRoutes) routes.set(path, proxied(parts, route));
  const ofRunner = routes.get('/metrics');
  const { metrics } = parts;
  if (metrics && ofRunner) routes.set('/metrics', eitherMetrics(metrics, ofRunner));
  const models = reads((response) => sendJson(response, 200, modelList(parts.models())));
  const health = reads((response) => sendHealth(response, parts.health()));
  for (const prefix of ['/v1', '']) routes.set(`${prefix}/models`, models).set(`${prefix}/health`, health);
  const front = frontOf(parts);
  routes.set('/', front);
  const oneModel: Route = {
    methods: readMethods,
    handle: (_, response, { path }) =>
      sendModel(response, parts.models(), decodeName(path.slice(MODEL_PREFIX.length))),
  };
  const upstream = proxied(parts, upstreamRoute);
  const find = (path: string): Route | undefined =>
    routes.get(path) ??
    (path.startsWith(MODEL_PREFIX)
      ? oneModel
      : path.startsWith(ASSETS_PREFIX)
        ? front
        : isUpstreamPath(path)
          ? upstream
          : undefined);

  return (request, response) => {
    const place = placeOf(request.url ?? '/');
    if (parts.management && place.path.startsWith(MANAGEMENT_PREFIX))
      return parts.management(request, response);
    if (place.path.startsWith(OLLAMA_PREFIX)) return parts.ollama(request, response, place.path);
    const route = find(place.path);
    if (!route) return sendNotFound(request, response, place);
    if (route.methods.includes(request.method ?? '')) return route.handle(request, response, place);
    sendOtherMethod(request, response, route);
  };
};

const reads = (answer: (response: ServerResponse) => void): Route => ({
  methods: readMethods,
  handle: (_, response) => answer(response),
});

const proxied = ({ proxy }: RouterParts, route: ApiRoute): Route => ({
  methods: route.methods,
  family: route.family,
  handle: (request, response, place) => void proxy(request, response, route, place),
});

/** The page for browsers, and its files; for everybody else a few words. */
const frontOf = ({ page, version }: RouterParts): Route => ({
  methods: readMethods,
  handle: (request, response, place) => {
    if (place.path === '/' && !wantsPage(request)) return sendPointer(response, version);
    const sent = page?.send(request, response, place.path) ?? Promise.resolve(false);
    sent.then(
      (wasThere) => {
        if (wasThere) return;
        if (place.path === '/') sendPointer(response, version, NO_PAGE);
        else sendNotFound(request, response, place);
      },
      (error: unknown) => sendProblem(response, problemOf(error)),
    );
  },
});

/** Corral's own metrics, or with `?model=` those of that model's runner. */
const eitherMetrics = (own: Handler, ofRunner: Route): Route => ({
  ...ofRunner,
  handle: (request, response, place) =>
    new URLSearchParams(place.query).has('model')
      ? ofRunner.handle(request, response, place)
      : own(request, response),
});

const sendHealth = (response: ServerResponse, health: Health): void =>
  sendJson(response, health === 'ok' ? 200 : 503, { status: health });

const NO_PAGE = 'The page that shows what runs is not built here: npm run build.\n';

const sendPointer = (response: ServerResponse, version: string, more = ''): void =>
  sendText(
    response,
    200,
    `Corral ${version} is running: many local language models behind one address.\n` +
      'POST /v1/chat/completions, /v1/completions, /v1/embeddings, /v1/messages, /api/chat; GET /v1/models, /health.\n' +
      more,
    { 'content-type': 'text/plain; charset=utf-8', vary: 'accept' },
  );

const sendModel = (response: ServerResponse, models: readonly ModelListing[], name: string): void => {
  const entry = modelEntry(models, name);
  if (entry) return sendJson(response, 200, entry);
  sendProblem(
    response,
    problemOfFailure({ code: 'model_not_found', message: `No model is called ${name}.` }),
  );
};

const sendNotFound = (request: IncomingMessage, response: ServerResponse, { path }: Place): void =>
  sendProblem(
    response,
    badRequest(`There is no ${request.method} ${path}.`, 'route_not_found', { status: 404 }),
  );

/** 405 with what is allowed; for OPTIONS just that. No CORS headers: a page of another origin gets no leave here. */
const sendOtherMethod = (
  request: IncomingMessage,
  response: ServerResponse,
  { methods, family = openai }: Route,
): void => {
  const allow = [...methods, 'OPTIONS'].join(', ');
  if (request.method === 'OPTIONS') {
    response.writeHead(204, { allow });
    response.end();
    return;
  }
  const problem = badRequest(`This path takes ${allow}, not ${request.method}.`, 'method_not_allowed', {
    status: 405,
  });
  sendProblem(response, problem, family, { allow });
};
