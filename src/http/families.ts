import { errorBody, type HttpProblem } from './openai-errors.ts';

/** How one family of APIs tells its clients of errors. */
export interface Family {
  /** For logs and metrics. */
  readonly name: string;
  /** Of an error reply; JSON's own without it. */
  readonly contentType?: string;
  /** The JSON text of an error reply. */
  errorBody(problem: HttpProblem): string;
  /** The same within a stream that has begun: one whole event, its end included. */
  errorEvent(problem: HttpProblem): string;
}

const dataEvent = (data: string): string => `data: ${data}\n\n`;

/** Chat, completions, embeddings: `{"error":{message,type,code,param}}`, in a stream as an event without a name. */
export const openai: Family = {
  name: 'openai',
  errorBody,
  errorEvent: (problem) => dataEvent(errorBody(problem)),
};

/** OpenAI's Responses: replies like all of OpenAI's, but its streams have an event of the type `error`. */
export const responses: Family = {
  name: 'openai',
  errorBody,
  errorEvent: ({ code, message, param }) =>
    // Events are numbered, and how many there were is not counted here: no client can go on after this one anyway.
    `event: error\n${dataEvent(JSON.stringify({ type: 'error', code, message, param, sequence_number: 0 }))}`,
};

const anthropicTypes: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  503: 'overloaded_error',
  504: 'timeout_error',
};

const anthropicBody = ({ status, message }: HttpProblem): string => {
  const type = anthropicTypes[status] ?? (status < 500 ? 'invalid_request_error' : 'api_error');
  return JSON.stringify({ type: 'error', error: { type, message } });
};

/** Anthropic's Messages: `{"type":"error","error":{type,message}}`, in a stream as an event named `error`. */
export const anthropic: Family = {
  name: 'anthropic',
  errorBody: anthropicBody,
  errorEvent: (problem) => `event: error\n${dataEvent(anthropicBody(problem))}`,
};

const llamaServerBody = ({ status, message, type }: HttpProblem): string =>
  JSON.stringify({ error: { code: status, message, type } });

/** llama-server's own paths: like OpenAI's, except that `code` is the HTTP status. */
export const llamaServer: Family = {
  name: 'llama-server',
  errorBody: llamaServerBody,
  errorEvent: (problem) => dataEvent(llamaServerBody(problem)),
};
