import { z } from 'zod';

const weight = z.number().nonnegative().max(Number.MAX_SAFE_INTEGER);
const weights = z.array(weight).readonly();

/** What is kept of a model's use across restarts; a list alone is of an earlier version, with other bins. */
export const savedDemandSchema = z.union([
  weights,
  z.strictObject({
    gaps: weights.describe(
      'Weights of the gaps between its requests, at knots half an octave apart from 4 ms on.',
    ),
    crowd: weight.optional().describe('How many requests wait for its loads.'),
    serviceSeconds: weight.optional().describe('How long its answers take.'),
    sparing: z
      .number()
      .min(0)
      .max(1)
      .optional()
      .describe('How far it has paid not to evict it at once: 0 to 1.'),
  }),
]);
