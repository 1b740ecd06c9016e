import type { Failure, FailureCode } from '../machines/failures.ts';

interface Edge {
  /** HTTP status. */
  readonly status: number;
  /** The error type in OpenAI's and llama-server's vocabulary. */
  readonly type: string;
  /**
   * Whether the same request may fare better a little later: clients try again by themselves then, and otherwise tell their
   * user. What a runner was lost of twice over is not tried a third time.
   */
  readonly retry: boolean;
}

const table = {
  model_not_found: { status: 404, type: 'not_found_error', retry: false },
  model_file_missing: { status: 404, type: 'not_found_error', retry: false },
  model_file_invalid: { status: 500, type: 'server_error', retry: false },
  does_not_fit: { status: 507, type: 'insufficient_memory_error', retry: false },
  devices_unavailable: { status: 503, type: 'unavailable_error', retry: true },
  paused: { status: 503, type: 'unavailable_error', retry: true },
  no_room: { status: 507, type: 'insufficient_memory_error', retry: false },
  queue_full: { status: 503, type: 'overloaded_error', retry: true },
  queue_timeout: { status: 503, type: 'overloaded_error', retry: true },
  spawn_failed: { status: 500, type: 'server_error', retry: false },
  load_out_of_memory: { status: 507, type: 'insufficient_memory_error', retry: false },
  load_stalled: { status: 504, type: 'server_error', retry: false },
  load_failed: { status: 500, type: 'server_error', retry: false },
  runner_crashed: { status: 502, type: 'server_error', retry: false },
  runner_unresponsive: { status: 504, type: 'server_error', retry: false },
  stopped: { status: 503, type: 'unavailable_error', retry: true },
  shutting_down: { status: 503, type: 'unavailable_error', retry: true },
  out_of_memory: { status: 507, type: 'insufficient_memory_error', retry: false },
  withdrawn: { status: 499, type: 'invalid_request_error', retry: false },
} satisfies Record<FailureCode, Edge>;

/** A failure at the edge: an Error that knows its HTTP status. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  readonly failure: Failure;
  readonly status: number;
  readonly type: string;
  /** A failure that says when, or one that passes. */
  readonly retry: boolean;

  constructor(failure: Failure, options?: ErrorOptions) {
    super(failure.message, options);
    this.failure = failure;
    const { status, type, retry } = table[failure.code];
    this.status = status;
    this.type = type;
    this.retry = retry || failure.retryAfterSeconds !== undefined;
  }

  get code(): FailureCode {
    return this.failure.code;
  }
}
