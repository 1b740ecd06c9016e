import { z } from 'zod';
import { badRequest, RequestError } from '../openai-errors.ts';

/** What clients of Ollama send. Fields that are not named here have no effect. `null` is as good as absent. */

const model = z.string().min(1, 'is required');
/** A request that names none may be meant for a default: that was decided before this is read. */
const modelOrDefault = z.string().nullish();
const texts = z.array(z.string());
const keepAlive = z.union([z.number(), z.string()]);

const common = {
  model: modelOrDefault,
  stream: z.boolean().nullish(),
  keep_alive: keepAlive.nullish(),
  options: z.record(z.string(), z.unknown()).nullish(),
  format: z.union([z.enum(['', 'json']), z.record(z.string(), z.unknown())]).nullish(),
  think: z.union([z.boolean(), z.enum(['low', 'medium', 'high', 'max'])]).nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.int().min(0).max(20).nullish(),
  truncate: z.boolean().nullish(),
};

const message = z.object({
  role: z.string(),
  content: z.string().nullish(),
  thinking: z.string().nullish(),
  images: texts.nullish(),
  tool_calls: z
    .array(
      z.object({
        id: z.string().nullish(),
        function: z.object({ name: z.string(), arguments: z.record(z.string(), z.unknown()).nullish() }),
      }),
    )
    .nullish(),
  tool_name: z.string().nullish(),
  tool_call_id: z.string().nullish(),
});

export const chatRequest = z.object({
  ...common,
  messages: z.array(message).nullish(),
  tools: z.array(z.unknown()).nullish(),
});

export const generateRequest = z.object({
  ...common,
  prompt: z.string().nullish(),
  suffix: z.string().nullish(),
  system: z.string().nullish(),
  template: z.string().nullish(),
  raw: z.boolean().nullish(),
  /** The numbers that an earlier reply ended with. */
  context: z.array(z.int()).nullish(),
  images: texts.nullish(),
});

export const embedRequest = z.object({
  model: modelOrDefault,
  input: z.union([z.string(), texts]).nullish(),
  keep_alive: keepAlive.nullish(),
  truncate: z.boolean().nullish(),
  /** 0 and less is all of them. */
  dimensions: z.int().nullish(),
});

export const embeddingsRequest = z.object({
  model: modelOrDefault,
  prompt: z.string().nullish(),
  keep_alive: keepAlive.nullish(),
});

const named = z.object({ model: z.string().nullish(), name: z.string().nullish() });

/** `name` is what older clients say. */
export const showRequest = named
  .transform(({ model: given, name }) => ({ model: given || name || '' }))
  .pipe(z.object({ model }));

export const pullRequest = named
  .extend({ stream: z.boolean().nullish() })
  .transform(({ model: given, name, stream }) => ({ model: given || name || '', isStream: stream ?? true }))
  .pipe(z.object({ model, isStream: z.boolean() }));

export type Message = z.infer<typeof message>;
export type ChatRequest = z.infer<typeof chatRequest>;
export type GenerateRequest = z.infer<typeof generateRequest>;
export type EmbedRequest = z.infer<typeof embedRequest>;

/** Checks a parsed body. Throws a `RequestError` (400) that names the first field at fault. */
export const readRequest = <Schema extends z.ZodType>(schema: Schema, body: unknown): z.infer<Schema> => {
  const read = schema.safeParse(body);
  if (read.success) return read.data;
  const issue = read.error.issues[0];
  const field = issue?.path.join('.') ?? '';
  const fault = `${field || 'the request'}: ${issue?.message ?? 'it cannot be read'}`;
  throw new RequestError(badRequest(fault, 'invalid_value', { param: field || null }));
};
