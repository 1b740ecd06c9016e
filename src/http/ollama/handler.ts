import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Exchange } from '../exchange.ts';
import type { ModelListing } from '../model-list.ts';
import { badRequest, type HttpProblem } from '../openai-errors.ts';
import type { ProxyParts } from '../proxy.ts';
import { sendJson, sendProblem } from '../replies.ts';
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
  };
  return async (_, { response }) => {
    sendProblem(response, problem, ollama);
    return 'refused';
  };
};

const entered = 'enter them in corral.yaml';

/** Method and path, and who serves it. */
const routes: Readonly<Record<string, Serve>> = {
  'POST /api/chat': serveChat,
  'POST /api/generate': serveGenerate,
  'POST /api/embed': serveEmbed,
  'POST /api/embeddings': serveOldEmbeddings,
  'GET /api/tags': serveTags,
  'GET /api/ps': servePs,
  'POST /api/show': serveShow,
  'GET /api/version': serveVersion,
  'POST /api/pull': inConfiguration('download', `use "corral pull", or download the file and ${entered}`),
  'POST /api/push': inConfiguration('upload', 'publish the files themselves'),
  'POST /api/create': inConfiguration('create', entered),
  'POST /api/copy': inConfiguration('copy', 'give a model another name with "aliases" in corral.yaml'),
  'DELETE /api/delete': inConfiguration('delete', 'take them out of corral.yaml, and remove their files'),
  'POST /api/blobs': inConfiguration('store', entered),
  'HEAD /api/blobs': inConfiguration('store', entered),
};

const BLOBS = '/api/blobs/';

/** Ollama's API. Takes the paths under `/api/`, without their query. */
export const createOllama = (
  parts: OllamaParts,
): ((request: IncomingMessage, response: ServerResponse, path: string) => void) => {
  const facts = new ModelFacts();
  const pathsKnown = new Set(Object.keys(routes).map((route) => route.split(' ')[1]));
  return (request, response, path) => {
    const known = path.startsWith(BLOBS) ? '/api/blobs' : path;
    const asked = request.method ?? '';
    const serve = routes[`${asked} ${known}`] ?? (asked === 'HEAD' ? routes[`GET ${known}`] : undefined);
    if (serve)
      return void runExchange({
        request,
        response,
        path,
        family: ollama,
        log: parts.log,
        onRequestEnd: parts.onRequestEnd,
        serve: (exchange) => serve(parts, exchange, facts),
      });
    const problem = pathsKnown.has(known)
      ? badRequest(`${path} does not take ${asked}`, 'method_not_allowed', { status: 405 })
      : badRequest(`there is no ${asked} ${path}`, 'route_not_found', { status: 404 });
    sendProblem(response, problem, ollama);
  };
};
