import { invalid, problem } from '../management/problem.ts';
import type { ProblemDetails } from '../management/schemas.ts';
import { clientMessage, messageId, type ClientMessage } from './protocol.ts';

/** Parts that are named of one ill-formed message, and characters of each text about it: an answer stays small. */
const MOST_NAMED = 8;
const LONGEST_TEXT = 500;

interface Read {
  readonly message?: ClientMessage;
  /** Of an ill-formed message, if it has a good one. */
  readonly id?: string | undefined;
  /** Why it is ill-formed. */
  readonly cause?: ProblemDetails;
}

/** A client's message, checked; or what is wrong with it, by paths such as `message.params.model`. */
export function readMessage(text: string): Read {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    return { cause: problem(400, 'invalid_request', 'message: not JSON') };
  }
  const { data, error } = clientMessage.safeParse(raw);
  if (data) return { message: data };
  const { id } = (raw ?? {}) as { id?: unknown };
  return { id: messageId.safeParse(id).data, cause: short(invalid('message', error).problem) };
}

const short = ({ errors = [], detail, ...rest }: ProblemDetails): ProblemDetails => ({
  ...rest,
  detail: cut(detail),
  errors: errors
    .slice(0, MOST_NAMED)
    .map(({ path, message }) => ({ path: cut(path), message: cut(message) })),
});

const cut = (text: string): string => (text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text);
