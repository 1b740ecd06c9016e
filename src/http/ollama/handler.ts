import type { IncomingMessage, ServerResponse } from 'node:http';
import { anyKey, type Needs } from '../../auth/scopes.ts';
import type { Exchange } from '../exchange.ts';
import type { ModelListing } from '../model-list.ts';
import { badRequest, type HttpProblem } from '../openai-errors.ts';
import type { ProxyParts } from '../proxy.ts';
import { sendJson, sendOtherMethod, sendProblem } from '../replies.ts';
import type { Outcome } from '../request-log.ts';
import { runExchange } from '../run-exchange.ts';
import { ollama } from './family.ts';
import { ModelFacts, type ModelDetails } from './model-details.ts';
import { psReply, showReply, tagsReply } from './model-replies.ts';
import { receiveJson } from './receive-json.ts';
import { readRequest, showRequest } from './requests.ts';
import { serveChat, serveEmbed, serveGenerate, serveOldEmbeddings } from './serve.ts';

/** The version of Ollama whose API is spoken here: clients refuse to speak to one that they deem too old. */
const OLLAMA_VERSION = '0.12.6';

export interface OllamaParts extends ProxyParts {
  readonly models: () => readonly ModelListing[];
  readonly version: string;
}

type Serve = (parts: OllamaParts, exchange: Exchange, facts: ModelFacts) => Promise<Outcome>;

const serveTags: Serve = async ({ models, desk }, { response }, facts) => {
  const rows = models().map(async ({ name }) => ({ name, details: await detailsOf(name, desk, facts) }));
  sendJson(response, 200, tagsReply(await Promise.all(rows)));
  return 'ok';
};

const servePs: Serve = async ({ desk }, { response }, facts) => {
  const rows = desk.loaded().map(async (loaded) => ({
    name: loaded.model,
    details: await detailsOf(loaded.model, desk, facts),
    loaded,
  }));
  sendJson(response, 200, psReply(await Promise.all(rows)));
  return 'ok';
};

const serveShow: Serve = async (parts, exchange, facts) => {
  const { model } = readRequest(showRequest, await receiveJson(exchange, parts));
  const spec = parts.desk.find(model);
  sendJson(exchange.response, 200, showReply(spec, await facts.of(spec.launch.modelPath)));
  return 'ok';
};

const serveVersion: Serve = async ({ version }, { response }) => {
  sendJson(response, 200, { version: OLLAMA_VERSION, corral: version });
  return 'ok';
};

/** Null for a model that is configured and cannot be used. */
const detailsOf = async (
  name: string,
  desk: ProxyParts['desk'],
  facts: ModelFacts,
): Promise<ModelDetails | null> => {
  try {
    return await facts.of(desk.find(name).launch.modelPath);
  } catch {
    return null;
  }
};

const inConfiguration = (what: string, instead: string): Serve => {
  const problem: HttpProblem = {
    status: 501,
    message: `Corral does not ${what} models on request: ${instead}.`,
    type: 'not_supported_error',
    code: 'not_supported',
    param: null,
    retry: false,
  };
  return async (_, { response }) => {
    sendProblem(response, problem, ollama);
    return 'refused';
  };
};

const entered = 'enter them in corral.yaml';

interface OllamaRoute {
  readonly needs: Needs;
  readonly serve: Serve;
}

const asks = (serve: Serve): OllamaRoute => ({ needs: ['inference'], serve });
const looks = (serve: Serve): OllamaRoute => ({ needs: ['inference', 'read'], serve });
const explains = (...told: Parameters<typeof inConfiguration>): OllamaRoute => ({
  needs: anyKey,
  serve: inConfiguration(...told),
});

/** Method and path, what is asked of a key, and who serves it. */
export const ollamaRoutes: Readonly<Record<string, OllamaRoute>> = {
  'POST /api/chat': asks(serveChat),
  'POST /api/generate': asks(serveGenerate),
  'POST /api/embed': asks(serveEmbed),
  'POST /api/embeddings': asks(serveOldEmbeddings),
  'GET /api/tags': looks(serveTags),
  'GET /api/ps': looks(servePs),
  'POST /api/show': looks(serveShow),
  'GET /api/version': looks(serveVersion),
  'POST /api/pull': explains('download', `use "corral pull", or download the file and ${entered}`),
  'POST /api/push': explains('upload', 'publish the files themselves'),
  'POST /api/create': explains('create', entered),
  'POST /api/copy': explains('copy', 'give a model another name with "aliases" in corral.yaml'),
  'DELETE /api/delete': explains('delete', 'take them out of corral.yaml, and remove their files'),
  'POST /api/blobs': explains('store', entered),
  'HEAD /api/blobs': explains('store', entered),
};

const BLOBS = '/api/blobs/';

const routeOf = (method: string, path: string): OllamaRoute | undefined => {
  const known = path.startsWith(BLOBS) ? '/api/blobs' : path;
  return ollamaRoutes[`${method} ${known}`] ?? (method === 'HEAD' ? ollamaRoutes[`GET ${known}`] : undefined);
};

/** The methods of a path; none where there is no such path. */
const methodsOf = (path: string): string[] => {
  const known = path.startsWith(BLOBS) ? '/api/blobs' : path;
  const methods = Object.keys(ollamaRoutes).flatMap((route) => {
    const [method = '', of] = route.split(' ');
    return of === known ? [method] : [];
  });
  return methods.includes('GET') ? [...methods, 'HEAD'] : methods;
};

/** What Ollama's API asks of a key for this; of what there is not, any key. */
export const ollamaNeeds = (method: string, path: string): Needs => routeOf(method, path)?.needs ?? anyKey;

/** Ollama's API. Takes the paths under `/api/`, without their query. */
export const createOllama = (
  parts: OllamaParts,
): ((request: IncomingMessage, response: ServerResponse, path: string) => void) => {
  const facts = new ModelFacts();
  return (request, response, path) => {
    const asked = request.method ?? '';
    const route = routeOf(asked, path);
    if (route)
      return void runExchange({
        request,
        response,
        path,
        family: ollama,
        observers: parts,
        serve: (exchange) => route.serve(parts, exchange, facts),
      });
    const methods = methodsOf(path);
    if (methods.length > 0) return sendOtherMethod(asked, response, methods, ollama);
    const problem = badRequest(`there is no ${asked} ${path}`, 'route_not_found', { status: 404 });
    sendProblem(response, problem, ollama);
  };
};
