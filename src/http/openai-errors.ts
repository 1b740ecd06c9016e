import { ServiceError } from '../errors.ts';
import type { Failure } from '../../machines/failures.ts';

/** When to try again after a refusal that passes, where nothing better is known. */
const DEFAULT_RETRY_SECONDS = 5;

/** An error as a client sees it: the members of OpenAI's `error` object, and how it travels. */
export interface HttpProblem {
  readonly status: number;
  readonly message: string;
  readonly type: string;
  readonly code: string;
  /** The request field at fault, if one is. */
  readonly param: string | null;
  readonly retryAfterSeconds?: number;
  /** Whether the client may send the same request again by itself; absent leaves it to the client. */
  readonly retry?: boolean;
  /** How a client may prove itself, as `WWW-Authenticate` says it. */
  readonly challenge?: string;
}

/** A request that is refused for what it is, before any model is involved. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly problem: HttpProblem;

  constructor(problem: HttpProblem) {
    super(problem.message);
    this.problem = problem;
  }
}

/** The client left before its reply was complete; nobody is there to be told. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone';

  constructor() {
    super('the client closed the connection');
  }
}

/** A problem that is the client's to mend, so that the same request fails again; 400 unless `extra` says otherwise. */
export const badRequest = (message: string, code: string, extra: Partial<HttpProblem> = {}): HttpProblem => ({
  status: 400,
  retry: false,
  message,
  type: 'invalid_request_error',
  code,
  param: null,
  ...extra,
});

/** What a client is told of a failure. */
export const problemOfFailure = (failure: Failure): HttpProblem => {
  const { status, type, retry } = new ServiceError(failure);
  const retryAfterSeconds = failure.retryAfterSeconds ?? (retry ? DEFAULT_RETRY_SECONDS : undefined);
  return {
    status,
    message: failure.message,
    type,
    code: failure.code,
    param: failure.code === 'model_not_found' ? 'model' : null,
    retry,
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  };
};

/** What a client is told of anything thrown. An unforeseen error is a plain 500: its text and stack stay inside. */
export const problemOf = (error: unknown): HttpProblem => {
  if (error instanceof ServiceError) return problemOfFailure(error.failure);
  if (error instanceof RequestError) return error.problem;
  return {
    status: 500,
    message: 'Internal error; the log of the service has the details.',
    type: 'server_error',
    code: 'internal_error',
    param: null,
  };
};

/** A runner whose reply is an error, or none that can be read. */
export const badReply = (message: string, status: 500 | 502): HttpProblem => ({
  status,
  message,
  type: 'server_error',
  code: 'runner_error',
  param: null,
});

/** The problem as JSON text in OpenAI's shape. */
export const errorBody = ({ message, type, code, param }: HttpProblem): string =>
  JSON.stringify({ error: { message, type, code, param } });
