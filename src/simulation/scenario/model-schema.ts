import { z } from 'zod';
import { count, duration, positive, size } from './scalars.ts';

/** What can differ between two requests for one model. */
const options = {
  context: positive.optional().describe('Tokens per request. Default: 4096.'),
  adapters: z.array(z.string()).optional().describe('LoRA files.'),
  projector: z.string().optional().describe('An mmproj file.'),
  args: z.array(z.string()).optional().describe('Further llama-server arguments.'),
  placement: z
    .enum(['gpu-only', 'gpu-or-cpu', 'cpu-if-full', 'cpu-only'])
    .optional()
    .describe('Where it may run. Default: gpu-or-cpu.'),
};

/** A model of a scenario, key by key. */
export const modelShape = {
  needs: size.describe('Memory that it needs in all: 8GiB.'),
  loads: duration.default(5_000).describe('How long a load takes. Default: 5s.'),
  estimate: duration.optional().describe('What is expected of a load before the first one. Default: loads.'),
  slots: positive.default(1).describe('Requests served at the same time. Default: 1.'),
  keepAlive: duration.default(300_000).describe('How long it stays when idle. Default: 5m.'),
  pin: z.boolean().default(false).describe('Loaded at start, never evicted, loaded again after a crash.'),
  file: z.string().optional().describe('Which file; another one is loaded anew. Default: its name.'),
  devices: z.array(z.string()).optional().describe('The only devices it may use, in order of preference.'),
  keepAliveLimit: duration.optional().describe('The longest keep-alive that a request may ask for.'),
  wait: duration.optional().describe('Longest wait of a request for it.'),
  replicas: positive.optional().describe('Most runners of it at a time. Default: 1.'),
  priority: z
    .enum(['interactive', 'normal', 'batch'])
    .optional()
    .describe('Of requests that do not say theirs. Default: normal.'),
  spread: z.boolean().optional().describe('Over all GPUs of a library, even if one would hold it.'),
  layers: positive
    .optional()
    .describe('Layers that can be offloaded one by one. Default: all of it or nothing.'),
  contexts: z
    .array(z.strictObject({ tokens: positive, needs: size }))
    .optional()
    .describe('For a context that Corral chooses: the choices, the largest first.'),
  fileSize: size
    .optional()
    .describe('How large its file is: whether there is room to map it. Default: not known.'),
  maxQueue: count.optional().describe('Most requests that may wait for it. Default: no limit of its own.'),
  really: size
    .optional()
    .describe('What its process holds in truth, measured after the load. `needs` is then a prediction.'),
  exits: duration.default(200).describe('How long its process takes to end. Default: 200ms.'),
  saves: duration
    .optional()
    .describe('How long its conversations take to be kept when it is unloaded. Default: they are not kept.'),
  restores: duration
    .default(0)
    .describe('How long they take to be brought back when it is loaded. Default: no time.'),
  showsLifeEvery: duration
    .optional()
    .describe('How often a loading process writes to its log. Default: never.'),
  tokensPerSecond: z.number().positive().default(50).describe('For requests with tokens. Default: 50.'),
  aliases: z.array(z.string()).default([]).describe('Other names that requests may use.'),
  ...options,
};

/** A model in a new configuration, whole; how its processes behave stays as it was, unless that is said, too. */
export const changedModel = z.strictObject({
  ...modelShape,
  loads: modelShape.loads.unwrap().optional(),
  exits: modelShape.exits.unwrap().optional(),
});
