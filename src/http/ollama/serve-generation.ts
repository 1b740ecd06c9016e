import type { OutgoingHttpHeaders } from 'node:http';
import type { ModelSpec } from '../../../machines/vocabulary.ts';
import type { Exchange } from '../exchange.ts';
import { calledAs, refuseUnserved } from '../foreign.ts';
import { leaseHeaders } from '../pass-through.ts';
import type { ProxyParts } from '../proxy.ts';
import { sendJson } from '../replies.ts';
import type { Outcome } from '../request-log.ts';
import { AssembledReply } from './assembled-reply.ts';
import { ask, preload, specOf, unload, wishesOf } from './ask-runner.ts';
import { cutChat } from './cut-chat.ts';
import { GenerationReply, type Shape } from './generation-reply.ts';
import type { ModelCards } from './model-cards.ts';
import { joined, receiveBody } from './receive-json.ts';
import { refuseLacking } from './refuse-lacking.ts';
import { StreamedReply } from './streamed-reply.ts';
import type { Generation } from './translate.ts';
import type { Translator } from './translator.ts';

/** The data path, what is known of models, and what reads bodies. */
export interface GenerationParts extends ProxyParts {
  readonly cards: ModelCards;
  readonly translator: Translator;
}

type Serve = (parts: GenerationParts, exchange: Exchange) => Promise<Outcome>;

const serveGeneration =
  (shape: Shape): Serve =>
  async (parts, exchange) => {
    const { held, model, variant, named } = await receiveBody(exchange, parts);
    try {
      const spec = specOf(parts, exchange, model);
      const { contextTokens } = spec.launch;
      const asked = await parts.translator.run(shape, {
        json: joined(held.chunks),
        contextTokens,
        variant: spec.foreign ? calledAs(variant, spec.foreign) : variant,
      });
      held.drop();
      return await serveAsked(parts, exchange, { ...asked, model, named, spec, shape });
    } finally {
      held.drop();
    }
  };

/** `POST /api/chat`. */
export const serveChat: Serve = serveGeneration('chat');

/** `POST /api/generate`. */
export const serveGenerate: Serve = serveGeneration('generate');

interface Asked extends Generation {
  readonly model: string;
  /** As the client calls it. */
  readonly named: string;
  readonly spec: ModelSpec;
  readonly shape: Shape;
}

const serveAsked = async (
  parts: GenerationParts,
  exchange: Exchange,
  { model, named, spec, shape, keepAlive, wanted, call, textBytes, sparable }: Asked,
): Promise<Outcome> => {
  const wishes = wishesOf(exchange, { keepAlive });
  const newReply = (): GenerationReply =>
    new GenerationReply({
      shape,
      model: named,
      turns: call?.turns,
      times: () => ({ totalMs: exchange.elapsedMs(), loadMs: exchange.entry.loadMs }),
    });
  const isUnload = !call && wishes.keepAlive === 0;
  if (isUnload) await unload(parts, exchange, spec);
  else await refuseLacking({ name: shape, model: named, wanted, spec, cards: parts.cards });
  if (!call) {
    if (!isUnload) await preload(parts, exchange, model, wishes);
    sendJson(exchange.response, 200, newReply().empty(isUnload ? 'unload' : 'load'));
    return 'ok';
  }
  if (spec.foreign) refuseUnserved(named, spec.foreign, call.path);
  exchange.entry.stream = call.stream;
  const { body, leftOut } =
    shape === 'chat'
      ? await cutChat(parts, exchange, { spec, body: call.body, textBytes, sparable, wishes })
      : { body: call.body, leftOut: 0 };
  const told = {
    ...ignoredHeader(call.ignored),
    ...(leftOut > 0 && { 'x-corral-left-out': String(leftOut) }),
  };
  return ask(parts, exchange, { model, path: call.path, body: [body], wishes }, (lease) => {
    const headers = { ...leaseHeaders(lease, exchange), ...told };
    const Reply = call.stream ? StreamedReply : AssembledReply;
    return new Reply(exchange, headers, newReply());
  });
};

const tellable = /^[\w.-]{1,40}$/;

/** Names what had no effect, in `X-Corral-Ignored`. */
const ignoredHeader = (names: readonly string[]): OutgoingHttpHeaders => {
  const told = names.filter((name) => tellable.test(name));
  return told.length > 0 ? { 'x-corral-ignored': told.join(', ') } : {};
};
