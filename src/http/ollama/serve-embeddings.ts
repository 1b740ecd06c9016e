import type { Exchange } from '../exchange.ts';
import type { HttpProblem } from '../openai-errors.ts';
import { refuseUnserved } from '../foreign.ts';
import { leaseHeaders } from '../pass-through.ts';
import { sendText } from '../replies.ts';
import type { Outcome } from '../request-log.ts';
import { ask, EMBEDDINGS_PATH, preload, specOf, wishesOf } from './ask-runner.ts';
import { boundsOf, cutTexts, tooLong } from './cut-texts.ts';
import { embeddingsCall } from './embeddings.ts';
import { joined, receiveBody } from './receive-json.ts';
import type { GenerationParts } from './serve-generation.ts';
import { tokenLimitOf } from './token-limit.ts';
import type { Vectors } from './translate.ts';
import { WholeReply } from './whole-reply.ts';

type Serve = (parts: GenerationParts, exchange: Exchange) => Promise<Outcome>;

/** The JSON of a reply, in parts; of a text that is empty there are no vectors. */
type Answer = (exchange: Exchange, model: string, vectors: Vectors) => Uint8Array[];

/** What both paths do; they differ in what they take and in how they answer. */
const serveEmbeddings =
  (kind: 'embed' | 'embeddings', answer: Answer): Serve =>
  async (parts, exchange) => {
    const { held, model, named } = await receiveBody(exchange, parts);
    try {
      const spec = specOf(parts, exchange, model);
      const { details } = await parts.cards.of(spec);
      const limitTokens = tokenLimitOf(spec.launch, details?.trainedContextTokens ?? null);
      const job = { json: joined(held.chunks), ...boundsOf(limitTokens) };
      const asked = await parts.translator.run(kind, job);
      held.drop();
      const { isEmpty, pieces, truncate, dimensions } = asked;
      const wishes = wishesOf(exchange, asked);
      if (isEmpty) {
        await preload(parts, exchange, model, wishes);
        sendText(exchange.response, 200, Buffer.concat(answer(exchange, named, none)));
        return 'ok';
      }
      if (spec.foreign) refuseUnserved(named, spec.foreign, EMBEDDINGS_PATH);
      const wanted = { spec, pieces, limitTokens, truncate, wishes };
      const body = embeddingsCall(spec.foreign?.calledAs ?? model, await cutTexts(parts, exchange, wanted));
      const translate = async (json: Uint8Array): Promise<Buffer> => {
        const vectors = await parts.translator.run('vectors', { json, dimensions });
        return Buffer.concat(answer(exchange, named, vectors));
      };
      const explain = (problem: HttpProblem): HttpProblem =>
        SAYS_TOO_LONG.test(problem.message) ? tooLong(limitTokens) : problem;
      return await ask(
        parts,
        exchange,
        { model, path: EMBEDDINGS_PATH, body, wishes },
        (lease) => new WholeReply(exchange, leaseHeaders(lease, exchange), translate, explain),
      );
    } finally {
      held.drop();
    }
  };

/** `POST /api/embed`. */
export const serveEmbed = serveEmbeddings('embed', (exchange, model, { all, promptTokens }) => {
  const rest = {
    total_duration: Math.round(exchange.elapsedMs() * 1e6),
    load_duration: exchange.entry.loadMs * 1e6,
    prompt_eval_count: promptTokens,
  };
  const head = `{"model":${JSON.stringify(model)},"embeddings":`;
  return [Buffer.from(head), all, Buffer.from(`,${JSON.stringify(rest).slice(1)}`)];
});

/** `POST /api/embeddings`, the older one: a single text. */
export const serveOldEmbeddings = serveEmbeddings('embeddings', (_exchange, _model, { first }) => [
  Buffer.from('{"embedding":'),
  first,
  Buffer.from('}'),
]);

const none: Vectors = { all: Buffer.from('[]'), first: Buffer.from('[]'), promptTokens: 0 };

/** llama-server's words for it, of which one comes with a 500. */
const SAYS_TOO_LONG = /too large to process|exceeds the available context size/;
