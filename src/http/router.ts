import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { anyKey, type Needs } from '../auth/scopes.ts';
import { INSPECT_PATH } from '../inspect/inspect-path.ts';
import { management } from '../management/family.ts';
import { managementNeeds } from '../management/needs.ts';
import type { LeaseDesk } from '../lease.ts';
import { apiRoutes, upstreamNeeds, upstreamRoute, type ApiRoute } from './api-routes.ts';
import { openai, type Family } from './families.ts';
import { declaredRoute } from './foreign.ts';
import { namesOf, type ModelListing } from './model-list.ts';
import { modelWordingOf } from './model-wording.ts';
import { otherPrefixes, otherRoutes, routerProps, type OtherRoute, type Others } from './other-routes.ts';
import { ollama } from './ollama/family.ts';
import { ollamaNeeds } from './ollama/handler.ts';
import type { ModelCards } from './ollama/model-cards.ts';
import { badRequest, problemOf } from './openai-errors.ts';
import { ASSETS_PREFIX, VIEW_PATHS, wantsPage, type Page } from './page.ts';
import type { Proxy } from './proxy.ts';
import { asksToLoad, type Place } from './receive-call.ts';
import { sendJson, sendOtherMethod, sendProblem, sendText } from './replies.ts';
import { sendModel, sendModels } from './send-models.ts';
import { serveUpstream } from './upstream-pages.ts';
import { decodeName, splitUpstreamPath, UPSTREAM_PREFIX } from './upstream-path.ts';

/** Answers one request. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** Whether the service takes requests. */
export type Health = 'ok' | 'starting' | 'draining';

interface RouterParts {
  readonly desk: Pick<LeaseDesk, 'find'>;
  readonly models: () => readonly ModelListing[];
  readonly cards: ModelCards;
  readonly management?: Handler;
  /** Answers what other servers are asked; nobody does without it. */
  readonly others?: Others;
  readonly metrics?: Handler;
  /** Shown to browsers at `/`. */
  readonly page?: Page;
  readonly bridgePage?: (response: ServerResponse) => void;
  /** Whether a request came by the port that clients of Ollama look for. */
  readonly isOllamas?: (request: IncomingMessage) => boolean;
  /** Whether a model's command serves a path that llama-server does not have. */
  readonly isDeclared?: (path: string) => boolean;
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
  /** Answered by a runner. */
  readonly isProxied?: boolean;
  /** Whose form errors have; OpenAI's without it. */
  readonly family?: Family | ((headers: IncomingHttpHeaders) => Family);
  /** Ollama has it as well: what calls Ollama from a window of its own may call this, on Ollama's port. */
  readonly isForApps?: boolean;
  readonly handle: (request: IncomingMessage, response: ServerResponse, place: Place) => void;
}

/** Whom a request is for. */
export interface Target {
  readonly needs: Needs;
  /** Whether it asks for a model to be loaded. */
  readonly loads: boolean;
  readonly family: Family;
  readonly isForApps: boolean;
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
    ? { path: unended(target), query: '' }
    : { path: unended(target.slice(0, mark)), query: target.slice(mark) };
};

/** Below these a path belongs to somebody else. */
const OF_OTHERS = [UPSTREAM_PREFIX, MANAGEMENT_PREFIX];

/** Without the slash that some clients end each path with. */
const unended = (path: string): string =>
  path.length > 1 && path.endsWith('/') && !OF_OTHERS.some((prefix) => path.startsWith(prefix))
    ? path.slice(0, -1)
    : path;

/** The paths of all APIs. */
export const createRouter = (parts: RouterParts): Router => {
  const exact = exactRoutes(parts);
  const prefixes = prefixRoutes(parts);
  const declared = proxied(parts, declaredRoute);
  const routeOf = (path: string): Route => {
    const found = exact.get(path);
    if (found) return found;
    for (const [prefix, route] of prefixes) if (path.startsWith(prefix)) return route;
    if (parts.isDeclared?.(path)) return declared;
    return parts.page && VIEW_PATHS.has(path) ? view : nothing;
  };
  return {
    exact,
    prefixes,
    find: ({ method = '', url = '/', headers }) => {
      const place = placeOf(url);
      const route = routeOf(place.path);
      const { methods, needs, isForApps = false } = route;
      const family = typeof route.family === 'function' ? route.family(headers) : (route.family ?? openai);
      if (methods && !methods.includes(method))
        return {
          needs: anyKey,
          loads: false,
          family,
          isForApps,
          handle: (_, response) => sendOtherMethod(method, response, methods, family),
        };
      return {
        needs: typeof needs === 'function' ? needs(method, place.path) : needs,
        loads: route.isProxied === true && asksToLoad(place.query),
        family,
        isForApps,
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
  const { others } = parts;
  const propsOfRunner = routes.get('/props');
  if (others && propsOfRunner) routes.set('/props', eitherProps(parts, others, propsOfRunner));
  if (others) for (const [path, route] of Object.entries(otherRoutes)) routes.set(path, other(others, route));
  const models: Route = {
    methods: readMethods,
    needs: seesModels,
    family: modelFamily,
    isForApps: true,
    handle: (request, response) => void sendModels(parts, request, response),
  };
  const health = reads(null, (response) => sendHealth(response, parts.health()));
  for (const prefix of ['/v1', '']) routes.set(`${prefix}/models`, models).set(`${prefix}/health`, health);
  // What llama-swap's companion for machines that sleep asks.
  routes.set('/wol-health', health);
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
  const { management: manage, models, others } = parts;
  const routes = new Map<string, Route>();
  if (manage)
    routes.set(MANAGEMENT_PREFIX, {
      methods: null,
      needs: managementNeeds,
      family: management,
      handle: manage,
    });
  if (others)
    for (const [prefix, route] of Object.entries(otherPrefixes))
      routes.set(prefix, other(others, route, prefix));
  return routes
    .set(OLLAMA_PREFIX, {
      methods: null,
      needs: ollamaNeeds,
      family: ollama,
      isForApps: true,
      handle: (request, response, { path }) => parts.ollama(request, response, path),
    })
    .set(MODEL_PREFIX, {
      methods: readMethods,
      needs: seesModels,
      family: modelFamily,
      isForApps: true,
      handle: (request, response, { path }) =>
        void sendModel(parts, request, response, decodeName(path.slice(MODEL_PREFIX.length))),
    })
    .set(ASSETS_PREFIX, frontOf(parts))
    .set(UPSTREAM_PREFIX, {
      ...proxied(parts, upstreamRoute),
      needs: (method, path) => upstreamNeeds(method, splitUpstreamPath(path, namesOf(models())).path),
      handle: serveUpstream(parts.proxy, models),
    });
};

const modelFamily = (headers: IncomingHttpHeaders): Family => modelWordingOf(headers).family;

const nothing: Route = {
  methods: null,
  needs: anyKey,
  handle: (request, response, place) => sendNotFound(request, response, place),
};

/** A view of the page, by the path that somebody has typed: it is behind a `#`. It has no data in it, as the page. */
const view: Route = {
  methods: readMethods,
  needs: null,
  handle: (request, response, place) =>
    // Relative, since a proxy in front may have another path.
    wantsPage(request)
      ? sendText(response, 302, '', { location: `./#${place.path}` })
      : sendNotFound(request, response, place),
};

const reads = (needs: Needs, answer: (response: ServerResponse) => void): Route => ({
  methods: readMethods,
  needs,
  handle: (_, response) => answer(response),
});

const proxied = ({ proxy }: RouterParts, route: ApiRoute): Route => ({
  methods: route.methods,
  needs: route.needs,
  isProxied: true,
  family: route.family,
  isForApps: route.modelIn !== 'path' && !route.isLook,
  handle: (request, response, place) => void proxy(request, response, route, place),
});

/** What another server is asked besides inference. */
const other = (others: Others, { question, methods, needs, family }: OtherRoute, prefix?: string): Route => ({
  methods,
  needs,
  family,
  handle: (request, response, place) =>
    others(question, request, response, { place, rest: prefix ? place.path.slice(prefix.length) : '' }),
});

/** Those of a model's runner where one is named, or there is only one; else those of llama.cpp's router. */
const eitherProps = ({ models }: RouterParts, others: Others, ofRunner: Route): Route => ({
  ...ofRunner,
  handle: (request, response, place) =>
    new URLSearchParams(place.query).has('model') || models().length === 1
      ? ofRunner.handle(request, response, place)
      : other(others, routerProps).handle(request, response, place),
});

/** The page for browsers, and its files; for everybody else a few words. */
const frontOf = ({ page, version, isOllamas }: RouterParts): Route => ({
  methods: readMethods,
  // It has no data in it: what it shows it asks for, with a key.
  needs: null,
  isForApps: true,
  handle: (request, response, place) => {
    if (place.path === '/' && isOllamas?.(request)) return sendText(response, 200, OLLAMA_RUNS, PLAIN);
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

/** What clients of Ollama look for, to see whether it is there. */
const OLLAMA_RUNS = 'Ollama is running';
const PLAIN = { 'content-type': 'text/plain; charset=utf-8' };

const sendPointer = (response: ServerResponse, version: string, more = ''): void =>
  sendText(
    response,
    200,
    `Corral ${version} is running: many local language models behind one address.\n` +
      'POST /v1/chat/completions, /v1/completions, /v1/embeddings, /v1/messages, /api/chat; GET /v1/models, /health.\n' +
      more,
    { ...PLAIN, vary: 'accept' },
  );

/** Clients put these before paths of their own, when their base URL ends with `/v1` and should not. */
const DOUBLED = /^\/v1\/(?:v1|api)\//;

const sendNotFound = (request: IncomingMessage, response: ServerResponse, { path }: Place): void => {
  const hint = DOUBLED.test(path) ? " The client's base URL should not end with /v1." : '';
  sendProblem(
    response,
    badRequest(`There is no ${request.method} ${path}.${hint}`, 'route_not_found', { status: 404 }),
  );
};
