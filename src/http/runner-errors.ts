import type { HttpProblem } from './openai-errors.ts';

const MAX_TOLD_CHARACTERS = 500;

interface ErrorJson {
  readonly error?: { readonly message?: unknown; readonly type?: unknown; readonly code?: unknown };
}

/** A runner's error reply as a problem, to be told in another form than the runner's own. */
export const problemOfReply = (status: number, text: string): HttpProblem => {
  const { message, type, code } = errorIn(text);
  return {
    status: status < 400 ? 502 : status,
    message:
      typeof message === 'string'
        ? message
        : `The runner answered ${status}: ${text.slice(0, MAX_TOLD_CHARACTERS)}`,
    type: typeof type === 'string' ? type : 'server_error',
    code: typeof code === 'string' ? code : 'runner_error',
    param: null,
  };
};

const errorIn = (text: string): NonNullable<ErrorJson['error']> => {
  try {
    const { error } = JSON.parse(text) as ErrorJson;
    return typeof error === 'object' && error !== null ? error : {};
  } catch {
    return {};
  }
};
