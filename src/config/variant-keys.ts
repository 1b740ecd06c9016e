import { z } from 'zod';

/** A member of a request's body; who is asked, and whether in pieces, is the request's own business. */
const member = z
  .string()
  .min(1)
  .max(128)
  .refine((text) => !['model', 'stream'].includes(text), {
    error: "expected no model and no stream: they are the request's own",
  });
const members = z.record(member, z.json().describe('Its value.')).default({});

/** How a model is asked under one of its names. */
export const variant = z.strictObject({
  set: members.describe('Members of the body that are so, whatever the request says: {temperature: 0.2}.'),
  default: members.describe('Members of the body that are so where the request does not say.'),
  strip: z.array(member).default([]).describe('Members that are taken out of the body.'),
  system: z.string().min(1).optional().describe('System prompt of conversations that bring none.'),
  thinking: z
    .union([z.boolean(), z.enum(['low', 'medium', 'high'])])
    .optional()
    .describe('Whether, or how hard, it thinks before it answers, where its chat template knows of that.'),
});
