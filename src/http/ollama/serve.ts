import type { OutgoingHttpHeaders } from 'node:http';
import type { ModelSpec } from '../../../machines/vocabulary.ts';
import type { Lease } from '../../lease.ts';
import { deliver } from '../deliver.ts';
import type { Exchange } from '../exchange.ts';
import { keepAliveOf, leaseWishes, type LeaseWishes } from '../lease-wishes.ts';
import { leaseHeaders } from '../pass-through.ts';
import type { ProxyParts } from '../proxy.ts';
import { sendJson } from '../replies.ts';
import type { ReplySink } from '../reply-sink.ts';
import type { Outcome } from '../request-log.ts';
import { AssembledReply } from './assembled-reply.ts';
import { embeddingsCall, readEmbeddings, textsOf } from './embeddings.ts';
import { ollama } from './family.ts';
import { chatCall, generateCall, type GenerationCall } from './generation-call.ts';
import { GenerationReply, type Shape } from './generation-reply.ts';
import { holdJson, receiveJson } from './receive-json.ts';
import {
  chatRequest,
  embeddingsRequest,
  embedRequest,
  generateRequest,
  readRequest,
  type ChatRequest,
  type GenerateRequest,
} from './requests.ts';
import { StreamedReply } from './streamed-reply.ts';
import { WholeReply } from './whole-reply.ts';

const EMBEDDINGS = '/v1/embeddings';

type Serve = (parts: ProxyParts, exchange: Exchange) => Promise<Outcome>;

/** `POST /api/chat`. */
export const serveChat: Serve = async (parts, exchange) => {
  const request = readRequest(chatRequest, await receiveJson(exchange, parts));
  const spec = specOf(parts, exchange, request.model);
  return serveGeneration(parts, exchange, { request, shape: 'chat', call: chatCall(request, spec.launch) });
};

/** `POST /api/generate`. */
export const serveGenerate: Serve = async (parts, exchange) => {
  const request = readRequest(generateRequest, await receiveJson(exchange, parts));
  const spec = specOf(parts, exchange, request.model);
  const call = generateCall(request, spec.launch);
  return serveGeneration(parts, exchange, { request, shape: 'generate', call });
};

/** `POST /api/embed`. */
export const serveEmbed: Serve = async (parts, exchange) => {
  const request = readRequest(embedRequest, await receiveJson(exchange, parts));
  const { model, dimensions } = request;
  return serveEmbeddings(parts, exchange, request, textsOf(request), (json) => {
    const { vectors, promptTokens } = readEmbeddings(json, dimensions ?? 0);
    return {
      model,
      embeddings: vectors,
      total_duration: Math.round(exchange.elapsedMs() * 1e6),
      load_duration: exchange.entry.loadMs * 1e6,
      prompt_eval_count: promptTokens,
    };
  });
};

/** `POST /api/embeddings`, the older one: a single text. */
export const serveOldEmbeddings: Serve = async (parts, exchange) => {
  const request = readRequest(embeddingsRequest, await receiveJson(exchange, parts));
  return serveEmbeddings(parts, exchange, request, textsOf({ input: request.prompt }), (json) => ({
    embedding: readEmbeddings(json).vectors[0] ?? [],
  }));
};

const serveGeneration = async (
  parts: ProxyParts,
  exchange: Exchange,
  asked: {
    readonly request: ChatRequest | GenerateRequest;
    readonly shape: Shape;
    readonly call: GenerationCall | null;
  },
): Promise<Outcome> => {
  const { request, shape, call } = asked;
  const wishes = wishesOf(exchange, request);
  const newReply = (): GenerationReply =>
    new GenerationReply({
      shape,
      model: request.model,
      times: () => ({ totalMs: exchange.elapsedMs(), loadMs: exchange.entry.loadMs }),
    });
  if (!call) {
    const isUnload = wishes.keepAlive === 0;
    if (isUnload) parts.desk.unload(request.model);
    else await preload(parts, exchange, request.model, wishes);
    sendJson(exchange.response, 200, newReply().empty(isUnload ? 'unload' : 'load'));
    return 'ok';
  }
  exchange.entry.stream = call.stream;
  const told = ignoredHeader(call.ignored);
  return ask(parts, exchange, { model: request.model, path: call.path, body: call.body, wishes }, (lease) => {
    const headers = { ...leaseHeaders(lease, exchange), ...told };
    const Reply = call.stream ? StreamedReply : AssembledReply;
    return new Reply(exchange, headers, newReply());
  });
};

const serveEmbeddings = async (
  parts: ProxyParts,
  exchange: Exchange,
  request: { readonly model: string; readonly keep_alive?: string | number | null | undefined },
  texts: readonly string[],
  translate: (json: unknown) => object,
): Promise<Outcome> => {
  const { model } = request;
  specOf(parts, exchange, model);
  const wishes = wishesOf(exchange, request);
  if (texts.length === 0) {
    await preload(parts, exchange, model, wishes);
    sendJson(exchange.response, 200, translate({}));
    return 'ok';
  }
  const body = embeddingsCall(model, texts);
  return ask(
    parts,
    exchange,
    { model, path: EMBEDDINGS, body, wishes },
    (lease) => new WholeReply(exchange, leaseHeaders(lease, exchange), translate),
  );
};

/** Known, or refused before anything else is said of the request. */
const specOf = ({ desk }: ProxyParts, { entry }: Exchange, model: string): ModelSpec => {
  entry.model = model;
  return desk.find(model);
};

const wishesOf = (
  { request: { headers } }: Exchange,
  { keep_alive: keepAlive }: { readonly keep_alive?: string | number | null | undefined },
): LeaseWishes => ({
  ...leaseWishes(headers),
  ...(keepAlive !== null && keepAlive !== undefined && { keepAlive: keepAliveOf(keepAlive, 'keep_alive') }),
});

/** Loads a model, or begins its keep-alive anew. */
const preload = async (
  { desk }: ProxyParts,
  { gone, entry }: Exchange,
  model: string,
  wishes: LeaseWishes,
): Promise<void> => {
  const lease = await desk.acquire({ model, ...wishes }, gone);
  lease.release();
  entry.runnerId = lease.runnerId;
  entry.waitMs = Math.round(lease.waitMs);
  entry.loadMs = Math.round(lease.loadMs);
};

interface Question {
  readonly model: string;
  readonly path: string;
  readonly body: object;
  readonly wishes: LeaseWishes;
}

/** Asks a runner in llama-server's words. */
const ask = async (
  parts: ProxyParts,
  exchange: Exchange,
  { model, path, body, wishes }: Question,
  replyTo: (lease: Lease) => ReplySink,
): Promise<Outcome> => {
  const held = holdJson(body, parts);
  try {
    return await deliver(parts, exchange, {
      model,
      method: 'POST',
      target: path,
      body: held,
      wishes,
      access: 'lease',
      mayStream: path !== EMBEDDINGS,
      family: ollama,
      // A line of JSON that says nothing is not foreseen in Ollama's streams.
      signs: 'none',
      replyTo,
    });
  } finally {
    held.drop();
  }
};

const MAX_NAMES_TOLD = 20;
const tellable = /^[\w.-]{1,40}$/;

/** Names what had no effect, in `X-Corral-Ignored`. */
const ignoredHeader = (names: readonly string[]): OutgoingHttpHeaders => {
  const told = names.filter((name) => tellable.test(name)).slice(0, MAX_NAMES_TOLD);
  return told.length > 0 ? { 'x-corral-ignored': told.join(', ') } : {};
};
