import type { IncomingMessage, ServerResponse } from 'node:http';
import { anyKey, type Needs } from '../../auth/scopes.ts';
import type { Exchange } from '../exchange.ts';
import type { Capability } from './capabilities.ts';
import { listedNames, type ModelListing } from '../model-list.ts';
import { badRequest, type HttpProblem } from '../openai-errors.ts';
import type { ProxyParts } from '../proxy.ts';
import { sendJson, sendOtherMethod, sendProblem } from '../replies.ts';
import type { Outcome } from '../request-log.ts';
import { runExchange } from '../run-exchange.ts';
import { ollama } from './family.ts';
import { digestOf, type ModelCard, type ModelCards } from './model-cards.ts';
import { psReply, showReply, tagsReply } from './model-replies.ts';
import { servePull } from './pull.ts';
import { receiveJson } from './receive-json.ts';
import { readRequest, showRequest } from './requests.ts';
import { serveEmbed, serveOldEmbeddings } from './serve-embeddings.ts';
import { serveChat, serveGenerate } from './serve-generation.ts';
import type { Translator } from './translator.ts';

/** The version of Ollama whose API is spoken here: clients refuse to speak to one that they deem too old. */
const OLLAMA_VERSION = '0.12.6';

export interface OllamaParts extends ProxyParts {
  readonly cards: ModelCards;
  readonly models: () => readonly ModelListing[];
  readonly version: string;
  readonly translator: Translator;
}

type Serve = (parts: OllamaParts, exchange: Exchange) => Promise<Outcome>;

const serveTags: Serve = async (parts, { response }) => {
  const rows = listedNames(parts.models()).map(async ({ name, model }) => ({
    name,
    ...(await cardOf(model.name, parts)),
    ...(model.contextTokens > 0 && { contextTokens: model.contextTokens }),
    capabilities: await capabilitiesOf(model.name, parts),
  }));
  sendJson(response, 200, tagsReply(await Promise.all(rows)));
  return 'ok';
};

const servePs: Serve = async (parts, { response }) => {
  const rows = parts.desk.loaded().map(async (loaded) => ({
    name: loaded.model,
    ...(await cardOf(loaded.model, parts)),
    loaded,
  }));
  sendJson(response, 200, psReply(await Promise.all(rows)));
  return 'ok';
};

const serveShow: Serve = async (parts, exchange) => {
  const { desk, cards } = parts;
  const { model } = readRequest(showRequest, await receiveJson(exchange, parts));
  const spec = desk.find(model);
  const [card, capabilities] = [await cards.of(spec), await cards.capabilitiesOf(spec)];
  sendJson(exchange.response, 200, showReply(spec, card, capabilities ?? []));
  return 'ok';
};

const serveVersion: Serve = async ({ version }, { response }) => {
  sendJson(response, 200, { version: OLLAMA_VERSION, corral: version });
  return 'ok';
};

/** Of a model that is configured and cannot be used there is little to tell. */
const cardOf = async (
  name: string,
  { desk, cards }: OllamaParts,
): Promise<Pick<ModelCard, 'details' | 'digest'>> => {
  try {
    return await cards.of(desk.find(name));
  } catch {
    return { details: null, digest: digestOf(name) };
  }
};

const capabilitiesOf = async (name: string, { desk, cards }: OllamaParts): Promise<readonly Capability[]> => {
  try {
    return (await cards.capabilitiesOf(desk.find(name))) ?? [];
  } catch {
    return [];
  }
};

/** Who calls, as far as Corral knows anybody: by the name of a key. There are no accounts, and nothing is signed in to. */
const serveMe: Serve = async (_, { response, entry: { caller } }) => {
  sendJson(response, 200, { id: '', name: caller ?? '', email: '', plan: '' });
  return 'ok';
};

/** Whether models of Ollama's cloud are served: there is none here. */
const serveStatus: Serve = async (_, { response }) => {
  sendJson(response, 200, { cloud: { disabled: true, source: 'none' } });
  return 'ok';
};

/** What Ollama does and Corral does not, with what to do instead. */
const notDone = (message: string): Serve => {
  const problem: HttpProblem = {
    status: 501,
    message,
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

const serveNoBlob: Serve = async (_, { response }) => {
  sendProblem(response, badRequest('no blobs are kept here', 'not_found', { status: 404 }), ollama);
  return 'ok';
};

const entered = 'enter them in corral.yaml';

interface OllamaRoute {
  readonly needs: Needs;
  readonly serve: Serve;
}

const asks = (serve: Serve): OllamaRoute => ({ needs: ['inference'], serve });
const looks = (serve: Serve): OllamaRoute => ({ needs: ['inference', 'read'], serve });
const explains = (what: string, instead: string): OllamaRoute => ({
  needs: anyKey,
  serve: notDone(`Corral does not ${what}: ${instead}.`),
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
  'POST /api/pull': looks(servePull),
  'POST /api/push': explains('upload models on request', 'publish the files themselves'),
  'POST /api/create': explains('create models on request', entered),
  'POST /api/copy': explains(
    'copy models on request',
    'give a model another name with "aliases" in corral.yaml',
  ),
  'DELETE /api/delete': explains(
    'delete models on request',
    'take them out of corral.yaml, and remove their files',
  ),
  'GET /api/status': looks(serveStatus),
  'POST /api/me': { needs: anyKey, serve: serveMe },
  'POST /api/signout': explains('sign in anywhere', 'there is nothing to sign out of'),
  'POST /api/blobs': explains('store models on request', entered),
  // A client that asks whether a blob is there goes on to send it, and can show what that is answered.
  'HEAD /api/blobs': { needs: anyKey, serve: serveNoBlob },
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
        serve: (exchange) => route.serve(parts, exchange),
      });
    const methods = methodsOf(path);
    if (methods.length > 0) return sendOtherMethod(asked, response, methods, ollama);
    const problem = badRequest(`there is no ${asked} ${path}`, 'route_not_found', { status: 404 });
    sendProblem(response, problem, ollama);
  };
};
