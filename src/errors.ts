import type { Failure, FailureCode } from '../machines/failures.ts';

interface Edge {
  /** HTTP status. */
  readonly status: number;
  /** The error type in OpenAI's and llama-server's vocabulary. */
  readonly type: string;
}

const table = {
  model_not_found: { status: 404, type: 'not_found_error' },
  model_file_missing: { status: 404, type: 'not_found_error' },
  model_file_invalid: { status: 500, type: 'server_error' },
  does_not_fit: { status: 507, type: 'insufficient_memory_error' },
  devices_unavailable: { status: 503, type: 'unavailable_error' },
  queue_full: { status: 503, type: 'overloaded_error' },
  queue_timeout: { status: 503, type: 'overloaded_error' },
  spawn_failed: { status: 500, type: 'server_error' },
  load_out_of_memory: { status: 507, type: 'insufficient_memory_error' },
  load_stalled: { status: 504, type: 'server_error' },
  load_failed: { status: 500, type: 'server_error' },
  runner_crashed: { status: 502, type: 'server_error' },
  runner_unresponsive: { status: 504, type: 'server_error' },
  stopped: { status: 503, type: 'unavailable_error' },
  shutting_down: { status: 503, type: 'unavailable_error' },
  out_of_memory: { status: 507, type: 'insufficient_memory_error' },
  withdrawn: { status: 499, type: 'invalid_request_error' },
} satisfies Record<FailureCode, Edge>;

/** A failure at the edge: an Error that knows its HTTP status. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  readonly failure: Failure;
  readonly status: number;
  readonly type: string;

  constructor(failure: Failure, options?: ErrorOptions) {
    super(failure.message, options);
    this.failure = failure;
    ({ status: this.status, type: this.type } = table[failure.code]);
  }

  get code(): FailureCode {
    return this.failure.code;
  }
}
