import type { Token } from 'node-llama-cpp';
import type { Arguments } from './arguments.ts';
import { ApiError, badRequest } from './api-error.ts';
import type { Call } from './call.ts';
import { chatMessagesOf } from './chat-messages.ts';
import { complete } from './complete.ts';
import type { Engine } from './engine.ts';
import { promptsOf, tokensIn } from './prompts.ts';
import { sendJson, sendText } from './sending.ts';

type Body = Call['body'];

export type Endpoint = (call: Call) => Promise<void> | void;

/** What the runner answers, by method and path. */
export const endpoints: Readonly<Record<string, Endpoint>> = {
  'GET /props': ({ engine, args, response }) => sendJson(response, 200, propsOf(engine, args)),
  'GET /slots': ({ engine, args, response }) => sendJson(response, 200, slotsOf(engine, args)),
  'GET /metrics': ({ engine, response }) => sendText(response, metricsOf(engine)),
  'POST /tokenize': ({ engine, body, response }) => sendJson(response, 200, tokenize(engine, body)),
  'POST /detokenize': ({ engine, body, response }) =>
    sendJson(response, 200, { content: engine.detokenize(tokensIn(engine, body['tokens'])) }),
  'POST /v1/chat/completions': (call) => complete(call, 'chat', [chatPrompt(call)]),
  'POST /v1/completions': (call) => complete(call, 'completion', promptsOf(call.engine, call.body['prompt'])),
  'POST /completion': (call) => complete(call, 'native', promptsOf(call.engine, call.body['prompt'])),
  'POST /v1/embeddings': embed,
  'POST /embeddings': embed,
};

/** Answered without a key, as llama-server does. */
export const modelsOf = (args: Arguments, engine: Engine | null): object => ({
  object: 'list',
  data: [
    {
      id: args.alias,
      object: 'model',
      created: Math.floor(Date.now() / 1000),
      owned_by: 'llamacpp',
      meta: engine && {
        n_vocab: engine.vocabulary,
        n_ctx: engine.contextTokens,
        n_ctx_train: engine.trainedContextTokens,
        n_embd: engine.embeddingLength,
      },
    },
  ],
});

const propsOf = (engine: Engine, args: Arguments): object => ({
  default_generation_settings: {
    params: { temperature: 0.8, top_k: 40, top_p: 0.95, min_p: 0.05 },
    n_ctx: engine.contextTokens,
  },
  total_slots: args.slots,
  model_alias: args.alias,
  model_path: args.modelPath,
  modalities: { vision: false, video: false, audio: false },
  endpoint_slots: true,
  endpoint_props: false,
  endpoint_metrics: true,
  chat_template: engine.chatTemplate,
  build_info: 'corral-embedded',
});

const slotsOf = (engine: Engine, args: Arguments): object[] =>
  engine.slots === null
    ? Array.from({ length: args.slots }, (_, id) => ({
        id,
        n_ctx: engine.contextTokens,
        is_processing: false,
      }))
    : engine.slots.all.map((slot) => ({
        id: slot.id,
        n_ctx: engine.contextTokens,
        speculative: false,
        is_processing: slot.isProcessing,
        n_prompt_tokens: slot.promptTokens,
        n_prompt_tokens_processed: slot.promptTokens - slot.cachedTokens,
        n_prompt_tokens_cache: slot.cachedTokens,
        next_token: [{ has_next_token: slot.isProcessing, n_remain: -1, n_decoded: slot.decodedTokens }],
      }));

/** Those of llama-server's metrics that count tokens, under its names. */
const metricsOf = ({ counts }: Engine): string =>
  `# TYPE llamacpp:prompt_tokens_total counter
llamacpp:prompt_tokens_total ${counts.prompt}
# TYPE llamacpp:tokens_predicted_total counter
llamacpp:tokens_predicted_total ${counts.generated}
`;

function tokenize(engine: Engine, body: Body): object {
  const tokens = engine.tokenize(textIn(body['content']), { special: body['add_special'] === true });
  if (body['with_pieces'] !== true) return { tokens };
  return { tokens: tokens.map((token) => ({ id: token, piece: engine.detokenize([token]) })) };
}

const textIn = (value: unknown): string => {
  if (typeof value !== 'string') throw badRequest("'content' must be a string");
  return value;
};

const chatPrompt = ({ engine, body }: Call): Token[] =>
  engine.tokenize(engine.renderChat(chatMessagesOf(body['messages'])), { special: true });

async function embed({ engine, args, body, response }: Call): Promise<void> {
  const input = body['input'] ?? body['content'];
  if (input === undefined) throw badRequest('"input" or "content" must be provided');
  const texts: unknown[] =
    Array.isArray(input) && !input.every((one) => typeof one === 'number') ? input : [input];
  if (texts.length === 0) throw badRequest('"input" must not be empty');
  const data: object[] = [];
  let promptTokens = 0;
  for (const [index, text] of texts.entries()) {
    const tokens =
      typeof text === 'string' ? engine.tokenize(text, { special: true }) : tokensIn(engine, text);
    promptTokens += tokens.length;
    const vector = await engine.embed(tokens);
    if (vector === null)
      throw new ApiError(
        501,
        'not_supported_error',
        'This server does not support embeddings. Start it with `--embeddings`',
      );
    data.push({ embedding: encodeVector(vector, body['encoding_format']), index, object: 'embedding' });
  }
  const usage = { prompt_tokens: promptTokens, total_tokens: promptTokens };
  sendJson(response, 200, { model: args.alias, object: 'list', usage, data });
}

const encodeVector = (vector: readonly number[], format: unknown): string | readonly number[] =>
  format === 'base64' ? Buffer.from(Float32Array.from(vector).buffer).toString('base64') : vector;
