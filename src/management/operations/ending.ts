import { z } from 'zod';

/** How long running requests may go on. */
export const secondsSchema = z
  .number()
  .min(0)
  .max(1_000_000)
  .describe('How long running requests may go on. Default: limits.drain of the configuration.');

export const forceSchema = z
  .boolean()
  .default(false)
  .describe('End running requests now, whatever the time they may have.');
