import type { IncomingHttpHeaders } from 'node:http';
import type { ApiRoute } from './api-routes.ts';
import { BegunStream } from './begun-stream.ts';
import type { Call } from './call.ts';
import type { Exchange } from './exchange.ts';
import { FormScan } from './form-scan.ts';
import { calledAs, foreignPath, refuseUnserved } from './foreign.ts';
import { keepAliveOf, leaseWishes, type LeaseWishes } from './lease-wishes.ts';
import { responses } from './families.ts';
import type { HttpLimits } from './limits.ts';
import { ModelScan, type BodyScan, type ScanResult } from './model-scan.ts';
import { badRequest, RequestError } from './openai-errors.ts';
import { PassThrough } from './pass-through.ts';
import { readBody, type BodyBudget, type HeldBody } from './read-body.ts';
import type { Variant } from '../config/schema.ts';
import type { Chosen, ModelNaming } from '../model-naming.ts';
import { hold, joined } from './ollama/receive-json.ts';
import type { Translator } from './ollama/translator.ts';
import { splitUpstreamPath } from './upstream-path.ts';
import type { Signs } from './waiting-signs.ts';

/** What a request is sent to. */
export interface Place {
  readonly path: string;
  /** With its leading `?`, or empty. */
  readonly query: string;
}

export interface ReceiveOptions {
  readonly limits: HttpLimits;
  readonly budget: BodyBudget;
  /** The configured names, for a client that named none. */
  readonly modelNames: () => readonly string[];
  /** The same with aliases, to find one in a path. */
  readonly allNames: () => readonly string[];
  /** What serves a request that names this, or nothing; null for nothing where nothing is meant for that. */
  readonly choose: ModelNaming['choose'];
  /** Which model serves a path that llama-server does not have; null where none does. */
  readonly ofPath: ModelNaming['ofPath'];
  readonly translator: Pick<Translator, 'run'>;
}

const MAX_NAMES_TOLD = 20;

/**
 * Reads a request's body and which model it is for. Rejects with a `RequestError` if it is too large, cannot be read, or
 * names no model, and with `ClientGone` if the client leaves first; nothing is held then.
 */
export const receiveCall = async (
  exchange: Exchange,
  route: ApiRoute,
  place: Place,
  options: ReceiveOptions,
): Promise<Call> => {
  const { request, entry } = exchange;
  const { family, modelIn } = route;
  const wishes = leaseWishes(request);
  const scan = scanFor(exchange, route);
  const body = await readBody(request, {
    maxBytes: options.limits.maxBodyBytes,
    budget: options.budget,
    onChunk: (chunk) => scan?.push(chunk),
    // Of what nobody reads here the runner makes what it can.
    asItCame: scan === null,
  });
  entry.requestBytes = body.bytes;
  try {
    const found = readScan(scan, route);
    const { model, path, foreign, ...chosen } = addressOf(found, route, place, options);
    if (found.continues && family === responses) throw new RequestError(notKept);
    entry.model = model;
    entry.stream = found.stream;
    const runnerPath = foreign ? foreignPath(route.runnerPath ?? path) : (route.runnerPath ?? path);
    if (modelIn !== 'path' && (foreign || modelIn === 'anywhere')) refuseUnserved(model, foreign, runnerPath);
    const isCalledOtherwise =
      foreign && found.model !== foreign.calledAs && (found.model || modelIn !== 'anywhere');
    const variant = isCalledOtherwise ? calledAs(chosen.variant, foreign) : chosen.variant;
    return {
      model,
      method: entry.method,
      target: runnerPath + place.query,
      body: variant && isJson(exchange, route) ? await rewritten(body, variant, runnerPath, options) : body,
      wishes: { ...wishes, ...keepAliveIn(found) },
      access: accessOf(route, entry.method, place),
      mayStream: found.stream || (route.modelIn === 'path' && !isReading(entry.method)),
      family,
      signs: signsOf(route, found, request.headers),
      replyTo: (lease) =>
        exchange.response.headersSent
          ? new BegunStream(exchange, lease, family)
          : new PassThrough(exchange, lease, family),
    };
  } catch (error) {
    body.drop();
    throw error;
  }
};

/** What reads the body, if anybody has to. */
const scanFor = ({ request: { headers, method } }: Exchange, { modelIn }: ApiRoute): BodyScan | null => {
  const type = headers['content-type'];
  switch (modelIn) {
    case 'body':
    case 'body-or-query':
      return new ModelScan();
    case 'form':
      return new FormScan(type);
    case 'anywhere':
      if (isReading(method ?? '')) return null;
      return isJsonType(type) ? new ModelScan() : isFormType(type) ? new FormScan(type) : null;
    case 'query':
    case 'path':
      return null;
  }
};

type Found = Extract<ScanResult, { kind: 'object' }>;

const readScan = (scan: BodyScan | null, { modelIn }: ApiRoute): Found => {
  const found = scan?.result() ?? { kind: 'object', model: undefined, stream: false };
  if (found.kind === 'object') return found;
  const [what, code] = modelIn === 'form' ? ['form', 'invalid_form'] : ['JSON object', 'invalid_json'];
  throw new RequestError(
    badRequest(`The request body is not a ${what} that can be read: ${found.reason}.`, code),
  );
};

/** llama-server keeps no replies, and would say so only once the model is loaded. */
const notKept = badRequest(
  'previous_response_id: replies are not kept here, so that none can be continued; send the whole conversation in "input".',
  'not_supported',
  { param: 'previous_response_id' },
);

/** What the body says of it wins, as it does in Ollama's API. */
const keepAliveIn = ({ keepAlive }: Found): LeaseWishes =>
  keepAlive === undefined ? {} : { keepAlive: keepAliveOf(keepAlive, 'keep_alive') };

/** Whom a request is for, and the path that it has there. */
const addressOf = (
  { model }: Found,
  { modelIn }: ApiRoute,
  { path, query }: Place,
  { modelNames, allNames, choose, ofPath }: ReceiveOptions,
): Chosen & { readonly path: string } => {
  const named = (name: string): Chosen => choose(name) ?? { model: name, variant: null };
  if (model) return { ...named(model), path };
  const isInQuery = modelIn === 'query' || modelIn === 'body-or-query' || modelIn === 'anywhere';
  if (modelIn === 'path') {
    const split = splitUpstreamPath(path, allNames());
    if (split.model) return { ...split, variant: null };
  } else if (isInQuery && model === undefined) {
    const asked = new URLSearchParams(query).get('model');
    if (asked) return { ...named(asked), path };
    const serving = modelIn === 'anywhere' ? ofPath(path) : null;
    if (serving !== null) return { ...named(serving), path };
    const [only, ...others] = modelNames();
    if (only !== undefined && others.length === 0) return { ...named(only), path };
  }
  const fallback = modelIn === 'path' || model === null ? null : choose(undefined);
  if (fallback) return { ...fallback, path };
  const fault = model === null ? 'must be a string of at most 1024 bytes' : 'is missing or empty';
  const field = { body: 'The field', form: 'The part', query: 'The parameter', path: 'The path segment' };
  const where = modelIn === 'body-or-query' || modelIn === 'anywhere' ? field.body : field[modelIn];
  throw new RequestError(
    badRequest(`${where} "model" ${fault}. ${describeNames(modelNames())}`, 'model_required', {
      param: 'model',
    }),
  );
};

const isJson = ({ request }: Exchange, { modelIn }: ApiRoute): boolean =>
  modelIn === 'body' ||
  modelIn === 'body-or-query' ||
  (modelIn === 'anywhere' && isJsonType(request.headers['content-type']));

const isJsonType = (type = ''): boolean => /^application\/(?:[\w.-]+\+)?json\b/i.test(type);
const isFormType = (type = ''): boolean => /^multipart\/form-data\b/i.test(type);

/** The body that a variant makes of one, which is let go. */
const rewritten = async (
  body: HeldBody,
  variant: Variant,
  path: string,
  options: ReceiveOptions,
): Promise<HeldBody> => {
  const json = await options.translator.run('variant', { json: joined(body.chunks), variant, path });
  const changed = hold([json], options);
  body.drop();
  return changed;
};

/** Only a stream of events can be begun before its runner is known. */
const signsOf = ({ streams }: ApiRoute, { stream }: Found, headers: IncomingHttpHeaders): Signs => {
  if (!streams || !stream) return 'none';
  return headers['x-corral-progress'] === '1' ? 'progress' : 'comments';
};

const isReading = (method: string): boolean => method === 'GET' || method === 'HEAD';

/** Whether a query asks for the model to be loaded for what would otherwise be a look. */
export const asksToLoad = (query: string): boolean => new URLSearchParams(query).get('autoload') === 'true';

/** What is got of a runner whose paths are not known any better is a look as well. */
const accessOf = ({ isLook, modelIn }: ApiRoute, method: string, { query }: Place): Call['access'] => {
  const looks = isLook || (modelIn === 'path' && isReading(method));
  if (!looks) return 'lease';
  return asksToLoad(query) ? 'look-or-lease' : 'look';
};

export const describeNames = (names: readonly string[]): string => {
  if (names.length === 0) return 'No models are configured.';
  const told = names.slice(0, MAX_NAMES_TOLD).join(', ');
  return `Configured models: ${told}${names.length > MAX_NAMES_TOLD ? ', …' : ''}.`;
};
