import { z } from 'zod';
import { failureCodes } from './failure-codes.ts';
import { count, howMany, instant, size, window } from './scalars.ts';

const request = z
  .strictObject({
    granted: z
      .union([z.literal('never'), window])
      .optional()
      .describe('When it gets a runner: 6s, 6s..8s, before 8s, after 6s or never.'),
    waits: window.optional().describe('How long it waits, from its arrival.'),
    ends: window.optional().describe('When it ends, however it ends.'),
    runner: z.string().optional().describe('The runner that serves it: `with r1` or `not with r1`.'),
    on: z
      .union([z.string(), z.array(z.string())])
      .optional()
      .describe('The devices that serve it, all of them.'),
    error: z.enum(failureCodes).optional().describe('It is refused, or loses its runner, with this code.'),
    at: window.optional().describe('With error: when.'),
    says: z.string().optional().describe('With error: a part of the message.'),
    outcome: z
      .enum(['served', 'refused', 'lost', 'cancelled', 'running', 'waiting'])
      .optional()
      .describe('What has become of it at the end.'),
  })
  .describe('What becomes of one request.');

const runnerState = z.enum([
  ...(['loading', 'ready', 'idle', 'expiring', 'unloading', 'vram-recovering', 'failed', 'gone'] as const),
]);

const moment = z.strictObject({
  at: instant.describe('When, after all that happens at that instant.'),
  loaded: z.array(z.string()).optional().describe('The models that are ready or idle, and no others.'),
  states: z.record(z.string(), runnerState).optional().describe('States of runners by model; gone for none.'),
  waiting: count.optional().describe('How many requests wait.'),
  processes: count.optional().describe('How many processes there are.'),
  reserved: z.record(z.string(), size).optional().describe('Memory promised per device.'),
  held: z.record(z.string(), size).optional().describe('Memory really in use per device.'),
  why: z.record(z.string(), z.string()).optional().describe('A part of the reason why a request waits.'),
});

const never = z.strictObject({
  evicted: z.string().optional().describe('This model is evicted.'),
  loaded: z.string().optional().describe('A load of this model is started.'),
  decided: z.string().optional().describe('This is decided: unrecovered A.'),
  runners: z.string().optional().describe('With above: more processes than that of this model.'),
  reserved: z.string().optional().describe('With above: more memory than that promised on this device.'),
  held: z.string().optional().describe('With above: more memory than that in use on this device.'),
  waiting: count.optional().describe('More requests than this wait.'),
  above: z.union([z.number(), z.string()]).optional(),
});

/** What must come of a scenario. Everything is optional; some rules hold without being written (docs/scenarios.md). */
export const expectations = z.strictObject({
  requests: z
    .record(
      z.string(),
      z.union([z.enum(['served', 'refused', 'lost', 'cancelled', 'running', 'waiting']), request]),
    )
    .optional()
    .describe('What becomes of the requests, by name.'),
  order: z.array(z.string()).optional().describe('Requests in the order in which they are granted.'),
  loads: z
    .union([howMany, z.record(z.string(), howMany)])
    .optional()
    .describe('How many loads there are, in all or by model: 2, at most 5, at least 1.'),
  evictions: z
    .union([howMany, z.record(z.string(), howMany)])
    .optional()
    .describe('How many evictions there are, in all or by model.'),
  evicted: z
    .array(z.string())
    .optional()
    .describe('The models that are evicted, in any order, and no others.'),
  decisions: z
    .array(z.string())
    .optional()
    .describe('Decisions that are taken in this order, others between them: [evict A, load B].'),
  reasons: z.array(z.string()).optional().describe('Texts that occur in the reasons of decisions.'),
  moments: z.array(moment).optional().describe('What is to be seen at certain times.'),
  never: z.array(never).optional().describe('What must not happen at any time.'),
  end: moment.omit({ at: true }).optional().describe('What is to be seen at the end.'),
});

export type Expectations = z.output<typeof expectations>;
export type RequestExpectation = z.output<typeof request>;
export type MomentExpectation = Omit<z.output<typeof moment>, 'at'>;
export type NeverExpectation = z.output<typeof never>;
