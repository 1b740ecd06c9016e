import { z } from 'zod';
import { ConfigError } from '../../config/config-error.ts';
import { ok, operation, type Operation } from '../operation.ts';
import type { ManagementParts } from '../parts.ts';
import { ProblemError } from '../problem.ts';
import { reloadSchema } from '../schemas.ts';

export const configOperations = ({ reload }: ManagementParts): readonly Operation[] => [
  operation({
    method: 'POST',
    path: '/config/reload',
    id: 'reloadConfig',
    tag: 'Service',
    summary: 'Reads the configuration again, and takes over what has changed',
    body: z.strictObject({
      dryRun: z.boolean().default(false).describe('Only say what would change.'),
      dropKeys: z.boolean().default(false).describe('Also when no key is left, and everybody may do all.'),
      force: z.boolean().default(false).describe('Also when most models go.'),
    }),
    answer: reloadSchema,
    statuses: { 200: 'What has changed, or would.' },
    problems: [409, 422, 503],
    handle: async ({ body }) => {
      try {
        return ok(await reload(body));
      } catch (error) {
        throw error instanceof ConfigError ? unusable(error) : error;
      }
    },
  }),
];

/** The old configuration stays: 422, with the place of each mistake. */
function unusable({ file, message, problems }: ConfigError): ProblemError {
  const errors = problems.map(({ key, line, column, source, message: what }) => ({
    path: key,
    message: what,
    ...(source === undefined ? { file, ...(line > 0 && { line, column }) } : { source }),
  }));
  return new ProblemError(422, 'config_invalid', message, { errors });
}
