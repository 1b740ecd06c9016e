import type { Family } from '../http/families.ts';
import type { HttpProblem } from '../http/openai-errors.ts';
import { problem } from './problem.ts';

const body = ({ status, code, message, retryAfterSeconds }: HttpProblem): string =>
  JSON.stringify(
    problem(status, code, message, retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  );

/** Errors of the management API, where they come from before it: problem details as well. */
export const management: Family = {
  name: 'corral',
  contentType: 'application/problem+json',
  errorBody: body,
  errorEvent: (one) => `data: ${body(one)}\n\n`,
};
