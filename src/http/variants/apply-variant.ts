import type { Variant } from '../../config/schema.ts';

/** A request's body as its runner reads it. */
export type Body = Readonly<Record<string, unknown>>;

/** How a conversation says its system prompt; `text` is none. */
type Form = 'chat' | 'messages' | 'responses' | 'text';

const forms: readonly (readonly [RegExp, Form])[] = [
  [/^(?:\/v1)?\/chat\/completions(?:\/input_tokens)?$|^\/apply-template$/, 'chat'],
  [/^\/v1\/messages(?:\/count_tokens)?$/, 'messages'],
  [/^(?:\/v1)?\/responses(?:\/input_tokens)?$/, 'responses'],
];

const formOf = (path: string): Form => forms.find(([pattern]) => pattern.test(path))?.[1] ?? 'text';

/** The body that a variant makes of a request's for a path of a runner: what it strips is gone before it sets anything. */
export function applyVariant(body: Body, variant: Variant, path: string): Body {
  const form = formOf(path);
  const kept = Object.entries(body).filter(([name]) => !variant.strip.includes(name));
  const filled = { ...variant.default, ...Object.fromEntries(kept), ...variant.set };
  return thoughtful(prompted(filled, variant, form), variant, form);
}

/** Whoever brings a system prompt keeps it. */
function prompted(body: Body, { system }: Variant, form: Form): Body {
  if (system === undefined) return body;
  switch (form) {
    case 'chat':
      return withSystemMessage(body, system);
    case 'messages':
      return isEmpty(body['system']) ? { ...body, system } : body;
    case 'responses':
      return isEmpty(body['instructions']) ? { ...body, instructions: system } : body;
    case 'text':
      return body;
  }
}

const isEmpty = (value: unknown): boolean => value === undefined || value === null || value === '';

function withSystemMessage(body: Body, system: string): Body {
  const { messages } = body;
  // What is no conversation is the runner's to refuse.
  if (!Array.isArray(messages)) return body;
  const bringsOne = messages.some((message) => ['system', 'developer'].includes(roleOf(message)));
  return bringsOne ? body : { ...body, messages: [{ role: 'system', content: system }, ...messages] };
}

const roleOf = (message: unknown): string =>
  typeof message === 'object' && message !== null && 'role' in message ? String(message.role) : '';

function thoughtful(body: Body, { thinking }: Variant, form: Form): Body {
  if (thinking === undefined || form === 'text') return body;
  const given = body['chat_template_kwargs'];
  const { reasoning_effort: _, ...others }: Body =
    typeof given === 'object' && given !== null ? { ...given } : {};
  const { thinking: __, ...rest } = body;
  return {
    // Anthropic's own way to ask for it would bring a budget along.
    ...(form === 'messages' && thinking === false ? rest : body),
    chat_template_kwargs: { ...others, ...thinkingArguments(thinking) },
  };
}

/** Templates of models that think look for these two. */
export const thinkingArguments = (thinking: boolean | string): object =>
  typeof thinking === 'boolean'
    ? { enable_thinking: thinking }
    : { enable_thinking: true, reasoning_effort: thinking };
