import { z } from 'zod';

/** What is typed at a time: a terminal holds no more than this until its process reads. */
export const typedSchema = z
  .string()
  .min(1)
  .max(4_096)
  .describe('Characters as a keyboard sends them: \\r is Enter, \\u0003 is Ctrl-C. Ctrl-S is left out.');
