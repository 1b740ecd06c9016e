import { z } from 'zod';

const amount = z.number().nonnegative().max(Number.MAX_SAFE_INTEGER);
const gap = z.tuple([amount, amount]).readonly();

/** What is kept of a model's use across restarts; a list alone is of an earlier version. */
export const savedDemandSchema = z.union([
  z.array(amount).readonly(),
  z.strictObject({
    gaps: z
      .array(gap)
      .readonly()
      .describe('Gaps between its requests, and how much each counts: [seconds, weight].'),
    crowd: amount.optional().describe('How many requests wait for its loads.'),
    serviceSeconds: amount.optional().describe('How long its answers take.'),
    sparing: z
      .number()
      .min(0)
      .max(1)
      .optional()
      .describe('How far it has paid not to evict it at once: 0 to 1.'),
  }),
]);
