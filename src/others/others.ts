import type { IncomingMessage, ServerResponse } from 'node:http';
import { ledgerOf } from '../ledger-of.ts';
import type { Exchange } from '../http/exchange.ts';
import { openai } from '../http/families.ts';
import { otherRoutes, type OtherQuestion, type Others } from '../http/other-routes.ts';
import type { Place } from '../http/receive-call.ts';
import { sendJson, sendText } from '../http/replies.ts';
import { runExchange } from '../http/run-exchange.ts';
import { decodeName } from '../http/upstream-path.ts';
import { choiceOf, eventStream, logStream, logText, runningReply } from './llama-swap.ts';
import { lmStudioModel, lmStudioModels } from './lm-studio.ts';
import { load, modelIn, unload, unloadAll } from './loading.ts';
import type { OthersParts } from './parts.ts';
import { routerEvents } from './router-events.ts';
import { sendStream } from './send-stream.ts';

const TEXT = { 'content-type': 'text/plain; charset=utf-8' };

/** One question, and what it is asked with. */
interface Asked {
  readonly parts: OthersParts;
  readonly exchange: Exchange;
  readonly response: ServerResponse;
  readonly place: Place;
  /** What follows the beginning of a path; empty where nothing does. */
  readonly name: string;
}

type Answer = (asked: Asked) => Promise<void> | void;

const answers: Readonly<Record<OtherQuestion, Answer>> = {
  props: ({ parts, response }) => sendJson(response, 200, routerProps(parts)),
  load: async ({ parts, exchange, response }) => {
    await load(parts, exchange, await modelIn(parts, exchange));
    sendJson(response, 200, { success: true });
  },
  // By a path llama-swap answers in words, by a body llama.cpp's router in JSON.
  unload: async ({ parts, exchange, response, name }) => {
    unload(parts, name || (await modelIn(parts, exchange)));
    if (name) sendText(response, 200, 'OK', TEXT);
    else sendJson(response, 200, { success: true });
  },
  'unload-all': ({ parts, exchange, response }) => {
    // A body says nothing that is not said by the path.
    exchange.request.resume();
    unloadAll(parts);
    sendText(response, 200, 'OK', TEXT);
  },
  running: ({ parts, response }) => sendJson(response, 200, runningReply(parts)),
  logs: ({ parts, response }) => sendText(response, 200, logText(parts, choiceOf('', String)), TEXT),
  'log-stream': ({ parts, response, place, name }) => {
    const choice = choiceOf(name, (model) => parts.catalogue.find(model).name);
    sendStream(response, logStream(parts, choice, !new URLSearchParams(place.query).has('no-history')));
  },
  events: ({ parts, response }) => sendStream(response, eventStream(parts)),
  'router-events': ({ parts, response }) => sendStream(response, routerEvents(parts)),
  'lm-studio-models': async ({ parts, response, name }) =>
    sendJson(response, 200, name ? await lmStudioModel(parts, name) : await lmStudioModels(parts)),
};

/** What llama.cpp's router says of itself: its page asks for it to learn whom it speaks to. */
const routerProps = ({ scheduler, version }: OthersParts): object => ({
  role: 'router',
  max_instances: ledgerOf(scheduler).settings.maxRunners ?? 0,
  models_autoload: true,
  model_alias: 'corral',
  model_path: 'none',
  default_generation_settings: { params: {}, n_ctx: 0 },
  build_info: `corral-${version}`,
});

/** Answers what clients of llama.cpp's router, of llama-swap and of LM Studio ask besides inference. */
export const createOthers =
  (parts: OthersParts): Others =>
  (question, request: IncomingMessage, response: ServerResponse, { place, rest }) =>
    void runExchange({
      request,
      response,
      path: place.path,
      family: otherRoutes[place.path]?.family ?? openai,
      // A look is no request to a model: neither counted nor traced as one.
      observers: question === 'load' ? parts : { log: parts.log },
      serve: async (exchange) => {
        parts.doors.tell();
        await answers[question]({ parts, exchange, response, place, name: decodeName(rest) });
        return 'ok';
      },
    });
