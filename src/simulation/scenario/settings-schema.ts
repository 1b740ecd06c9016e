import { z } from 'zod';
import { policyNames } from '../../../machines/planning/view.ts';
import { count, duration, positive, size } from './scalars.ts';

/** The scheduler's settings in a scenario. */
export const settings = z.strictObject({
  policy: z.enum(policyNames).optional().describe('Default: default; the command line wins.'),
  gamma: z
    .number()
    .min(0)
    .default(0.4)
    .describe('How much waiting justifies how much expected waiting: 0.25 favours latency, 1 throughput.'),
  starvation: duration
    .default(Infinity)
    .describe('After this long a request may evict at any price, whatever loads take. Default: never.'),
  drain: duration.default(Infinity).describe('How long an evicted model may finish what it is running.'),
  runners: positive.optional().describe('Most runners at a time. Default: as many as fit.'),
  queue: count.default(512).describe('Most requests that may wait, over all models.'),
  wait: duration.default(Infinity).describe('Longest wait of a request. Default: forever.'),
  keepAliveMode: z.enum(['strict', 'soft']).default('strict'),
  eviction: z
    .enum(['automatic', 'manual'])
    .default('automatic')
    .describe('manual: nothing is evicted without a command.'),
  abandonedLoads: z.enum(['keep', 'abort']).default('keep').describe('A load whose clients have all left.'),
  gpuOverhead: size.default(0).describe("Added per GPU to a predicted need: the runtime's own memory."),
  loadStall: duration.default(300_000).describe('A load without a sign of life for this long has failed.'),
  load: duration.default(Infinity).describe('Longest load.'),
  answerLimit: duration
    .default(30_000)
    .describe('How long a process may give no answer before it counts as lost. Default: 30s.'),
  terminateGrace: duration.default(5_000).describe('From SIGTERM to SIGKILL.'),
  conversations: duration
    .default(5_000)
    .describe(
      'The longest that an unload waits for conversations to be kept, and a load for them to be brought back.',
    ),
  killAlarm: duration.default(10_000).describe('From SIGKILL to the alarm that a process does not end.'),
  probeEvery: duration.default(5_000).describe('Rest between two readings of the devices.'),
  probeDeadline: duration.default(3_000).describe('A probe that takes longer is given up.'),
  recoveryPoll: duration.default(250).describe('Rest between two looks at memory that comes back.'),
  recoveryLimit: duration.default(5_000).describe('Longest wait for memory to come back.'),
});

/** Those of them that a new configuration can change; what is left out stays as it was. */
export const changedSettings = z.strictObject(
  Object.fromEntries(
    Object.entries(settings.shape).map(([key, field]) => [
      key,
      (field instanceof z.ZodDefault ? field.unwrap() : field).optional(),
    ]),
  ) as { [K in keyof typeof settings.shape]: z.ZodOptional<WithoutDefault<(typeof settings.shape)[K]>> },
);

type WithoutDefault<T> = T extends z.ZodDefault<infer Inner> ? Inner : T;
