/** An error as llama-server words it: `{"error":{"code","message","type"}}`; to clients of Anthropic's API in their form. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly type: string;
  readonly extra: Readonly<Record<string, unknown>>;

  constructor(status: number, type: string, message: string, extra: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.status = status;
    this.type = type;
    this.extra = extra;
  }

  get body(): object {
    return { error: { code: this.status, message: this.message, type: this.type, ...this.extra } };
  }

  get anthropicBody(): object {
    return { type: 'error', error: { type: this.type, message: this.message } };
  }
}

export const badRequest = (message: string): ApiError => new ApiError(400, 'invalid_request_error', message);

export const notSupported = (message: string): ApiError => new ApiError(501, 'not_supported_error', message);

/** Anything thrown, as what the client gets. */
export const apiErrorOf = (error: unknown): ApiError =>
  error instanceof ApiError
    ? error
    : new ApiError(500, 'server_error', error instanceof Error ? error.message : String(error));
