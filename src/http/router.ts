import type { IncomingMessage, ServerResponse } from 'node:http';
import { modelEntry, modelList, type ModelListing } from './model-list.ts';
import { badRequest, problemOfFailure } from './openai-errors.ts';
import type { Proxy } from './proxy.ts';
import { sendJson, sendProblem, sendText } from './replies.ts';

/** Answers one request. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** Whether the service takes requests. */
export type Health = 'ok' | 'starting' | 'draining';

interface RouterParts {
  readonly models: () => readonly ModelListing[];
  readonly management?: Handler;
  readonly health: () => Health;
  readonly version: string;
  readonly proxy: Proxy;
}

/** Where a request goes. */
interface Place {
  readonly path: string;
  /** With its leading `?`, or empty. */
  readonly query: string;
}

interface Route {
  readonly methods: readonly string[];
  readonly handle: (request: IncomingMessage, response: ServerResponse, place: Place) => void;
}

/** The paths that a runner answers. One more is one more line. */
const proxiedPaths = ['/v1/chat/completions', '/v1/completions', '/v1/embeddings'];

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

const decodeName = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a stray percent sign: taken as it stands, and then simply not found
  }
};

/** Finds who answers a request, by an exact path or one of the two prefixes. */
export const createRouter = (parts: RouterParts): Handler => {
  const routes = new Map<string, Route>(proxiedPaths.map((path) => [path, proxied(parts, path)]));
  routes.set(
    '/v1/models',
    reads((response) => sendJson(response, 200, modelList(parts.models()))),
  );
  routes.set(
    '/health',
    reads((response) => sendHealth(response, parts.health())),
  );
  routes.set(
    '/',
    reads((response) => sendPointer(response, parts.version)),
  );
  const oneModel: Route = {
    methods: readMethods,
    handle: (_, response, { path }) =>
      sendModel(response, parts.models(), decodeName(path.slice(MODEL_PREFIX.length))),
  };
  const find = (path: string): Route | undefined =>
    routes.get(path) ?? (path.startsWith(MODEL_PREFIX) ? oneModel : undefined);

  return (request, response) => {
    const place = placeOf(request.url ?? '/');
    if (parts.management && place.path.startsWith('/api/')) return parts.management(request, response);
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

const proxied = ({ proxy }: RouterParts, path: string): Route => ({
  methods: ['POST'],
  handle: (request, response, { query }) =>
    void proxy(request, response, { path, target: `${path}${query}` }),
});

const sendHealth = (response: ServerResponse, health: Health): void =>
  sendJson(response, health === 'ok' ? 200 : 503, { status: health });

const sendPointer = (response: ServerResponse, version: string): void =>
  sendText(
    response,
    200,
    `Corral ${version}: many local language models behind one address.\n` +
      'POST /v1/chat/completions, /v1/completions, /v1/embeddings; GET /v1/models, /health.\n',
    { 'content-type': 'text/plain; charset=utf-8' },
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
const sendOtherMethod = (request: IncomingMessage, response: ServerResponse, { methods }: Route): void => {
  const allow = [...methods, 'OPTIONS'].join(', ');
  if (request.method === 'OPTIONS') {
    response.writeHead(204, { allow });
    response.end();
    return;
  }
  const problem = badRequest(`This path takes ${allow}, not ${request.method}.`, 'method_not_allowed', {
    status: 405,
  });
  sendProblem(response, problem, { allow });
};
