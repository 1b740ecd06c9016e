import type { Exchange } from '../exchange.ts';
import type { HttpProblem } from '../openai-errors.ts';
import { leaseHeaders } from '../pass-through.ts';
import { sendJson } from '../replies.ts';
import type { Outcome } from '../request-log.ts';
import { ask, EMBEDDINGS_PATH, preload, specOf, wishesOf } from './ask-runner.ts';
import { cutTexts, tooLong } from './cut-texts.ts';
import { embeddingsCall, readEmbeddings, textsOf } from './embeddings.ts';
import { receiveJson } from './receive-json.ts';
import { embeddingsRequest, embedRequest, readRequest, type EmbedRequest } from './requests.ts';
import type { GenerationParts } from './serve-generation.ts';
import { tokenLimitOf } from './token-limit.ts';
import { WholeReply } from './whole-reply.ts';

/** `POST /api/embed`. */
export const serveEmbed = async (parts: GenerationParts, exchange: Exchange): Promise<Outcome> => {
  const request = readRequest(embedRequest, await receiveJson(exchange, parts));
  const { model, dimensions } = request;
  return serveEmbeddings(parts, exchange, request, (json) => {
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
export const serveOldEmbeddings = async (parts: GenerationParts, exchange: Exchange): Promise<Outcome> => {
  const { prompt, ...request } = readRequest(embeddingsRequest, await receiveJson(exchange, parts));
  return serveEmbeddings(parts, exchange, { ...request, input: prompt }, (json) => ({
    embedding: readEmbeddings(json).vectors[0] ?? [],
  }));
};

const serveEmbeddings = async (
  parts: GenerationParts,
  exchange: Exchange,
  request: EmbedRequest,
  translate: (json: unknown) => object,
): Promise<Outcome> => {
  const { model, truncate } = request;
  const texts = textsOf(request);
  const spec = specOf(parts, exchange, model);
  const wishes = wishesOf(exchange, request);
  if (texts.length === 0) {
    await preload(parts, exchange, model, wishes);
    sendJson(exchange.response, 200, translate({}));
    return 'ok';
  }
  const { details } = await parts.cards.of(spec);
  const limitTokens = tokenLimitOf(spec.launch, details?.trainedContextTokens ?? null);
  const wanted = { spec, texts, limitTokens, truncate: truncate ?? true, wishes };
  const body = embeddingsCall(model, await cutTexts(parts, exchange, wanted));
  const explain = (problem: HttpProblem): HttpProblem =>
    SAYS_TOO_LONG.test(problem.message) ? tooLong(limitTokens) : problem;
  return ask(
    parts,
    exchange,
    { model, path: EMBEDDINGS_PATH, body, wishes },
    (lease) => new WholeReply(exchange, leaseHeaders(lease, exchange), translate, explain),
  );
};

/** llama-server's words for it, of which one comes with a 500. */
const SAYS_TOO_LONG = /too large to process|exceeds the available context size/;
