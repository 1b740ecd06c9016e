import { badRequest, RequestError } from '../openai-errors.ts';
import { thinkingArguments } from '../variants/apply-variant.ts';
import { continued, fromContext, isContinuable, type Turn } from './conversation.ts';
import { parseTemplate, writesMessages } from './go-template.ts';
import { toOpenAiMessages } from './messages.ts';
import { mapOptions } from './options.ts';
import type { ChatRequest, GenerateRequest } from './requests.ts';

/** What llama-server is asked instead. */
export interface GenerationCall {
  readonly path: '/v1/chat/completions' | '/v1/completions' | '/infill';
  /** Asks for a stream in any case: a runner that streams stops at the next token when its client has left. */
  readonly body: object;
  /** Whether the client wants it as a stream. */
  readonly stream: boolean;
  /** The conversation so far, of one that can be continued. */
  readonly turns?: readonly Turn[];
  /** Names of fields and options that have no effect here. */
  readonly ignored: readonly string[];
}

export interface Context {
  /** The tokens that one request may use. */
  readonly contextTokens: number;
}

/** `/api/chat`, as a chat. Null when there is nothing to answer: such a request only loads the model, or unloads it. */
export const chatCall = (request: ChatRequest, context: Context): GenerationCall | null => {
  if (!request.messages || request.messages.length === 0) return null;
  const { tools } = request;
  return asChat(request, context, {
    messages: toOpenAiMessages(request.messages),
    ...(tools && tools.length > 0 && { tools }),
  });
};

/**
 * `/api/generate`, as a chat of one message, since the model's template is wanted; as a plain completion if it is `raw` or
 * brings a `template`, and as an infill if there is a `suffix`. Null as in `chatCall`. Throws a `RequestError` (400) for a `template` that is
 * not understood.
 */
export const generateCall = (request: GenerateRequest, context: Context): GenerationCall | null => {
  const { prompt, suffix, system, template, raw, images } = request;
  if (!prompt && !suffix && !images?.length) return null;
  if (suffix)
    return asText(request, context, '/infill', { input_prefix: prompt ?? '', input_suffix: suffix });
  if (raw) return asText(request, context, '/v1/completions', { prompt: prompt ?? '' });
  const before = request.context ? fromContext(request.context) : [];
  const turns = continued(before ?? [], { system, prompt });
  if (template && images?.length) throw new RequestError(noImages);
  const call = template
    ? asText(request, context, '/v1/completions', { prompt: writtenBy(template, turns) })
    : asChat(request, context, {
        messages: toOpenAiMessages([...turns.slice(0, -1), { role: 'user', content: prompt, images }]),
      });
  return {
    ...call,
    ...(isContinuable(turns) && { turns }),
    ignored: [...call.ignored, ...(before ? [] : ['context'])],
  };
};

const noImages = badRequest(
  'template: there is no place for images in it; leave one of them out',
  'not_supported',
  { param: 'template' },
);

/** A conversation as a template writes it, up to the reply that is wanted; one that knows of a single prompt writes it turn by turn. */
const writtenBy = (template: string, turns: readonly Turn[]): string => {
  const write = parseTemplate(template);
  const messages = turns.map(({ role, content }) => ({ Role: role, Content: content }));
  const contentOf = (role: Turn['role']): string =>
    turns.findLast((turn) => turn.role === role)?.content ?? '';
  if (writesMessages(template))
    return write({
      System: contentOf('system'),
      Prompt: contentOf('user'),
      Response: null,
      Messages: messages,
    });
  const prompts = turns.flatMap(({ role, content }, at) => {
    const next = turns[at + 1];
    const Response = next?.role === 'assistant' ? next.content : null;
    return role === 'user' ? [{ Prompt: content, Response, Messages: [] }] : [];
  });
  return prompts.map((one, at) => write({ ...one, System: at === 0 ? contentOf('system') : '' })).join('');
};

type Common = Pick<
  ChatRequest,
  'model' | 'stream' | 'options' | 'format' | 'think' | 'logprobs' | 'top_logprobs'
>;

type Format = Exclude<NonNullable<Common['format']>, ''>;

const asChat = (request: Common, context: Context, own: object): GenerationCall => {
  const { format, think, logprobs, top_logprobs: topLogprobs } = request;
  return finished(request, context, '/v1/chat/completions', {
    ...own,
    ...(format && { response_format: responseFormat(format) }),
    ...(think !== null && think !== undefined && { chat_template_kwargs: thinkingArguments(think) }),
    ...(logprobs && { logprobs, ...(topLogprobs && { top_logprobs: topLogprobs }) }),
  });
};

const asText = (
  request: Common,
  context: Context,
  path: '/v1/completions' | '/infill',
  own: object,
): GenerationCall => {
  const { format, think, logprobs } = request;
  const call = finished(request, context, path, {
    ...own,
    ...(format && { json_schema: schemaOf(format) }),
  });
  return {
    ...call,
    ignored: [...call.ignored, ...(think ? ['think'] : []), ...(logprobs ? ['logprobs'] : [])],
  };
};

const finished = (
  { model, stream, options }: Common,
  context: Context,
  path: GenerationCall['path'],
  own: object,
): GenerationCall => {
  const { sampling, ignored } = mapOptions(options ?? {}, context);
  const counting = path !== '/infill' && { stream_options: { include_usage: true } };
  return {
    path,
    body: { model, ...own, ...sampling, stream: true, ...counting },
    stream: stream ?? true,
    ignored,
  };
};

/** llama-server enforces nothing for a `json_object` without a schema, nor for an empty one: "any JSON" needs one of its own. */
const responseFormat = (format: Format): object => ({
  type: 'json_schema',
  json_schema: { name: 'format', strict: true, schema: schemaOf(format) },
});

const schemaOf = (format: Format): object =>
  format === 'json' || Object.keys(format).length === 0 ? { type: 'object' } : format;
