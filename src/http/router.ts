import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { anyKey, type Needs } from '../auth/scopes.ts';
import { INSPECT_PATH } from '../inspect/inspect-path.ts';
import { management } from '../management/family.ts';
import { managementNeeds } from '../management/needs.ts';
import { apiRoutes, upstreamNeeds, upstreamRoute, type ApiRoute } from './api-routes.ts';
import { openai, type Family } from './families.ts';
import { findListing, modelWordingOf, type ModelListing } from './model-list.ts';
import { ollama } from './ollama/family.ts';
import { ollamaNeeds } from './ollama/handler.ts';
import { badRequest, problemOf, problemOfFailure } from './openai-errors.ts';
import { ASSETS_PREFIX, wantsPage, type Page } from './page.ts';
import type { Proxy } from './proxy.ts';
import type { Place } from './receive-call.ts';
import { sendJson, sendOtherMethod, sendProblem, sendText } from './replies.ts';
import { serveUpstream } from './upstream-pages.ts';
import { decodeName, splitUpstreamPath, UPSTREAM_PREFIX } from './upstream-path.ts';

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
  readonly bridgePage?: (response: ServerResponse) => void;
  readonly health: () => Health;
  readonly version: string;
  readonly proxy: Proxy;
  /** Answers everything else under `/api/`. */
  readonly ollama: (request: IncomingMessage, response: ServerResponse, path: string) => void;
}

/** A path, or all that begin with it. */
export interface Route {
  /** Null for one that answers any, and says itself which it does not take. */
  readonly methods: readonly string[] | null;
  /** What is asked of a key. */
  readonly needs: Needs | ((method: string, path: string) => Needs);
  /** Whose form errors have; OpenAI's without it. */
  readonly family?: Family | ((headers: IncomingHttpHeaders) => Family);
  readonly handle: (request: IncomingMessage, response: ServerResponse, place: Place) => void;
}

/** Whom a request is for. */
export interface Target {
  readonly needs: Needs;
  readonly family: Family;
  readonly handle: Handler;
}

/** Finds who answers a request, by an exact path or a prefix. */
export interface Router {
  readonly exact: ReadonlyMap<string, Route>;
  readonly prefixes: ReadonlyMap<string, Route>;
  find(request: Pick<IncomingMessage, 'method' | 'url' | 'headers'>): Target;
}

const MANAGEMENT_PREFIX = '/api/v1/';
const OLLAMA_PREFIX = '/api/';
/** Corral's own among Ollama's paths. */
const DECISIONS_PATH = '/api/decisions';
const MODEL_PREFIX = '/v1/models/';
const readMethods = ['GET', 'HEAD'];
const seesModels: Needs = ['inference', 'read'];

/** Splits a tidy request target. */
const placeOf = (target: string): Place => {
  const mark = target.indexOf('?');
  return mark === -1
    ? { path: target, query: '' }
    : { path: target.slice(0, mark), query: target.slice(mark) };
};

/** The paths of all APIs. */
export const createRouter = (parts: RouterParts): Router => {
  const exact = exactRoutes(parts);
  const prefixes = prefixRoutes(parts);
  const routeOf = (path: string): Route => {
    const found = exact.get(path);
    if (found) return found;
    for (const [prefix, route] of prefixes) if (path.startsWith(prefix)) return route;
    return nothing;
  };
  return {
    exact,
    prefixes,
    find: ({ method = '', url = '/', headers }) => {
      const place = placeOf(url);
      const route = routeOf(place.path);
      const { methods, needs } = route;
      const family = typeof route.family === 'function' ? route.family(headers) : (route.family ?? openai);
      if (methods && !methods.includes(method))
        return {
          needs: anyKey,
          family,
          handle: (_, response) => sendOtherMethod(method, response, methods, family),
        };
      return {
        needs: typeof needs === 'function' ? needs(method, place.path) : needs,
        family,
        handle: (request, response) => route.handle(request, response, place),
      };
    },
  };
};

const exactRoutes = (parts: RouterParts): Map<string, Route> => {
  const routes = new Map<string, Route>();
  for (const [path, route] of apiRoutes) routes.set(path, proxied(parts, route));
  const ofRunner = routes.get('/metrics');
  const { metrics } = parts;
  if (metrics && ofRunner) routes.set('/metrics', eitherMetrics(metrics, ofRunner));
  const models: Route = {
    methods: readMethods,
    needs: seesModels,
    family: modelFamily,
    handle: ({ headers }, response) => sendJson(response, 200, modelWordingOf(headers).list(parts.models())),
  };
  const health = reads(null, (response) => sendHealth(response, parts.health()));
  for (const prefix of ['/v1', '']) routes.set(`${prefix}/models`, models).set(`${prefix}/health`, health);
  if (parts.bridgePage) routes.set(INSPECT_PATH, reads(null, parts.bridgePage));
  const { management: manage } = parts;
  if (manage)
    routes.set(DECISIONS_PATH, {
      methods: readMethods,
      needs: ['read'],
      family: management,
      handle: manage,
    });
  return routes.set('/', frontOf(parts));
};

/** The first that fits is taken. */
const prefixRoutes = (parts: RouterParts): Map<string, Route> => {
  const { management: manage, models } = parts;
  const names = (): string[] => models().map(({ name }) => name);
  const routes = new Map<string, Route>();
  if (manage)
    routes.set(MANAGEMENT_PREFIX, {
      methods: null,
      needs: managementNeeds,
      family: management,
      handle: manage,
    });
  return routes
    .set(OLLAMA_PREFIX, {
      methods: null,
      needs: ollamaNeeds,
      family: ollama,
      handle: (request, response, { path }) => parts.ollama(request, response, path),
    })
    .set(MODEL_PREFIX, {
      methods: readMethods,
      needs: seesModels,
      family: modelFamily,
      handle: ({ headers }, response, { path }) =>
        sendModel(response, headers, models(), decodeName(path.slice(MODEL_PREFIX.length))),
    })
    .set(ASSETS_PREFIX, frontOf(parts))
    .set(UPSTREAM_PREFIX, {
      ...proxied(parts, upstreamRoute),
      needs: (method, path) => upstreamNeeds(method, splitUpstreamPath(path, names()).path),
      handle: serveUpstream(parts.proxy, models),
    });
};

const modelFamily = (headers: IncomingHttpHeaders): Family => modelWordingOf(headers).family;

const nothing: Route = {
  methods: null,
  needs: anyKey,
  handle: (request, response, place) => sendNotFound(request, response, place),
};

const reads = (needs: Needs, answer: (response: ServerResponse) => void): Route => ({
  methods: readMethods,
  needs,
  handle: (_, response) => answer(response),
});

const proxied = ({ proxy }: RouterParts, route: ApiRoute): Route => ({
  methods: route.methods,
  needs: route.needs,
  family: route.family,
  handle: (request, response, place) => void proxy(request, response, route, place),
});

/** The page for browsers, and its files; for everybody else a few words. */
const frontOf = ({ page, version }: RouterParts): Route => ({
  methods: readMethods,
  // It has no data in it: what it shows it asks for, with a key.
  needs: null,
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

const sendModel = (
  response: ServerResponse,
  headers: IncomingHttpHeaders,
  models: readonly ModelListing[],
  name: string,
): void => {
  const wording = modelWordingOf(headers);
  const model = findListing(models, name);
  if (model) return sendJson(response, 200, wording.entry(model));
  const problem = problemOfFailure({ code: 'model_not_found', message: `No model is called ${name}.` });
  sendProblem(response, problem, wording.family);
};

const sendNotFound = (request: IncomingMessage, response: ServerResponse, { path }: Place): void =>
  sendProblem(
    response,
    badRequest(`There is no ${request.method} ${path}.`, 'route_not_found', { status: 404 }),
  );
