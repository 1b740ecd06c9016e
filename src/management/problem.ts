import { STATUS_CODES } from 'node:http';
import type { z } from 'zod';
import { ServiceError } from '../errors.ts';
import type { ProblemDetails } from './schemas.ts';

type Extra = Partial<Pick<ProblemDetails, 'errors' | 'nearMisses' | 'retryAfterSeconds'>>;

/** A request that is answered with problem details. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly problem: ProblemDetails;

  constructor(status: number, code: string, detail: string, extra: Extra = {}) {
    super(detail);
    this.problem = problem(status, code, detail, extra);
  }
}

export const problem = (status: number, code: string, detail: string, extra: Extra = {}): ProblemDetails => ({
  type: 'about:blank',
  title: STATUS_CODES[status] ?? 'Unknown',
  status,
  detail,
  code,
  ...extra,
});

/** A 400 that names each part that is wrong: `body.drainSeconds`. */
export function invalid(part: string, { issues }: z.ZodError): ProblemError {
  const errors = issues.flatMap((issue) => {
    const path = [part, ...issue.path].join('.');
    if (issue.code !== 'unrecognized_keys') return [{ path, message: issue.message }];
    return issue.keys.map((key) => ({ path: `${path}.${key}`, message: 'is not known here' }));
  });
  const detail = errors.map(({ path, message }) => `${path}: ${message}`).join('; ');
  return new ProblemError(400, 'invalid_request', detail, { errors });
}

interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly detail?: string;
}

/** Fastify's own refusals, by its codes. */
const refusals: Readonly<Record<string, Refusal>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: { status: 413, code: 'body_too_large' },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    status: 415,
    code: 'unsupported_media_type',
    detail: 'The body has to be JSON, with Content-Type: application/json.',
  },
  FST_ERR_BAD_URL: { status: 400, code: 'invalid_url' },
};

/** What a client is told of anything thrown; null for what nobody has foreseen. */
export function problemOf(error: unknown): ProblemDetails | null {
  if (error instanceof ProblemError) return error.problem;
  if (error instanceof ServiceError) {
    const { code, message, retryAfterSeconds } = error.failure;
    return problem(error.status, code, message, retryAfterSeconds === undefined ? {} : { retryAfterSeconds });
  }
  if (!(error instanceof Error) || !('statusCode' in error)) return null;
  const { statusCode, message } = error;
  if (typeof statusCode !== 'number' || statusCode < 400 || statusCode >= 500) return null;
  const known = refusals['code' in error ? String(error.code) : ''];
  const { status, code, detail = message } = known ?? { status: statusCode, code: 'invalid_body' };
  return problem(status, code, detail);
}
