import type { OutgoingHttpHeaders } from 'node:http';
import type { ModelSpec } from '../../../machines/vocabulary.ts';
import type { Exchange } from '../exchange.ts';
import { leaseHeaders } from '../pass-through.ts';
import type { ProxyParts } from '../proxy.ts';
import { sendJson } from '../replies.ts';
import type { Outcome } from '../request-log.ts';
import { AssembledReply } from './assembled-reply.ts';
import { ask, preload, specOf, unload, wishesOf } from './ask-runner.ts';
import { chatCall, generateCall, type GenerationCall } from './generation-call.ts';
import { GenerationReply, type Shape } from './generation-reply.ts';
import type { ModelCards } from './model-cards.ts';
import { receiveJson } from './receive-json.ts';
import { refuseLacking } from './refuse-lacking.ts';
import {
  chatRequest,
  generateRequest,
  readRequest,
  type ChatRequest,
  type GenerateRequest,
} from './requests.ts';
import { StreamedReply } from './streamed-reply.ts';

/** The data path, and what is known of models. */
export interface GenerationParts extends ProxyParts {
  readonly cards: ModelCards;
}

type Serve = (parts: GenerationParts, exchange: Exchange) => Promise<Outcome>;

/** `POST /api/chat`. */
export const serveChat: Serve = async (parts, exchange) => {
  const request = readRequest(chatRequest, await receiveJson(exchange, parts));
  const spec = specOf(parts, exchange, request.model);
  const call = chatCall(request, spec.launch);
  return serveGeneration(parts, exchange, { request, spec, shape: 'chat', call });
};

/** `POST /api/generate`. */
export const serveGenerate: Serve = async (parts, exchange) => {
  const request = readRequest(generateRequest, await receiveJson(exchange, parts));
  const spec = specOf(parts, exchange, request.model);
  const call = generateCall(request, spec.launch);
  return serveGeneration(parts, exchange, { request, spec, shape: 'generate', call });
};

const serveGeneration = async (
  parts: GenerationParts,
  exchange: Exchange,
  asked: {
    readonly request: ChatRequest | GenerateRequest;
    readonly spec: ModelSpec;
    readonly shape: Shape;
    readonly call: GenerationCall | null;
  },
): Promise<Outcome> => {
  const { request, spec, shape, call } = asked;
  const wishes = wishesOf(exchange, request);
  const newReply = (): GenerationReply =>
    new GenerationReply({
      shape,
      model: request.model,
      times: () => ({ totalMs: exchange.elapsedMs(), loadMs: exchange.entry.loadMs }),
    });
  const isUnload = !call && wishes.keepAlive === 0;
  if (isUnload) await unload(parts, exchange, spec);
  else await refuseLacking({ name: shape, request, spec, cards: parts.cards });
  if (!call) {
    if (!isUnload) await preload(parts, exchange, request.model, wishes);
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

const MAX_NAMES_TOLD = 20;
const tellable = /^[\w.-]{1,40}$/;

/** Names what had no effect, in `X-Corral-Ignored`. */
const ignoredHeader = (names: readonly string[]): OutgoingHttpHeaders => {
  const told = names.filter((name) => tellable.test(name)).slice(0, MAX_NAMES_TOLD);
  return told.length > 0 ? { 'x-corral-ignored': told.join(', ') } : {};
};
