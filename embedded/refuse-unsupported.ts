import { notSupported } from './api-error.ts';

type Body = Readonly<Record<string, unknown>>;

/** Wishes that llama-server fulfils and this runner cannot; to pass over them in silence would be a wrong answer. */
const unsupported: readonly (readonly [name: string, isAsked: (body: Body) => boolean])[] = [
  ['response_format', ({ response_format: format }) => !isNothing(format) && typeIn(format) !== 'text'],
  ['json_schema', ({ json_schema: schema }) => !isNothing(schema)],
  ['grammar', ({ grammar }) => !isNothing(grammar) && grammar !== ''],
  ['logprobs', ({ logprobs }) => !isNothing(logprobs) && logprobs !== false && logprobs !== 0],
  ['n_probs', ({ n_probs: probabilities }) => !isNothing(probabilities) && probabilities !== 0],
  ['n', ({ n }) => !isNothing(n) && n !== 1],
  // A model may always choose to call no tool, but not when it is told to.
  ['tool_choice', ({ tool_choice: choice }) => !isNothing(choice) && choice !== 'auto' && choice !== 'none'],
];

const isNothing = (value: unknown): boolean => value === undefined || value === null;

const typeIn = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && 'type' in value ? value.type : undefined;

/** Throws an `ApiError` (501) that names the first wish of a generation that only llama-server can fulfil. */
export function refuseUnsupported(body: Body): void {
  const found = unsupported.find(([, isAsked]) => isAsked(body));
  if (found) throw notSupported(`'${found[0]}' is not supported by the embedded runner; use llama-server`);
}
