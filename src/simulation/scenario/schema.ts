import { z } from 'zod';
import { expectations } from './expectation-schema.ts';
import { count, duration, positive, size } from './scalars.ts';
import { step } from './step-schema.ts';

const fullDevice = z.strictObject({
  memory: size.describe('All of its memory: 24GiB.'),
  free: size.optional().describe('Free at the start; the rest is held by other programs. Default: all.'),
  limit: size.optional().describe('The most that Corral may use of it. Default: all.'),
  kind: z.enum(['discrete', 'integrated', 'cpu']).optional().describe('Default: discrete; cpu for CPU.'),
  library: z
    .string()
    .optional()
    .describe('Devices of different libraries never share a model. Default: CUDA.'),
  memoryBack: duration
    .default(1_000)
    .describe('How long after the end of a process its memory shows as free. Default: 1s.'),
});

/** A device; `CUDA0: 24GiB` is short for `CUDA0: { memory: 24GiB }`. */
const device = z.preprocess((value) => (typeof value === 'object' ? value : { memory: value }), fullDevice);

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

const modelShape = {
  needs: size.describe('Memory that it needs in all: 8GiB.'),
  loads: duration.default(5_000).describe('How long a load takes. Default: 5s.'),
  estimate: duration.optional().describe('What is expected of a load before the first one. Default: loads.'),
  slots: positive.default(1).describe('Requests served at the same time. Default: 1.'),
  keepAlive: duration.default(300_000).describe('How long it stays when idle. Default: 5m.'),
  pin: z.boolean().default(false).describe('Loaded at start, never evicted, loaded again after a crash.'),
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
  maxQueue: count.optional().describe('Most requests that may wait for it. Default: no limit of its own.'),
  really: size
    .optional()
    .describe('What its process holds in truth, measured after the load. `needs` is then a prediction.'),
  exits: duration.default(200).describe('How long its process takes to end. Default: 200ms.'),
  showsLifeEvery: duration
    .optional()
    .describe('How often a loading process writes to its log. Default: never.'),
  tokensPerSecond: z.number().positive().default(50).describe('For requests with tokens. Default: 50.'),
  aliases: z.array(z.string()).default([]).describe('Other names that requests may use.'),
  ...options,
};

const settings = z.strictObject({
  policy: z.enum(['default', 'ollama']).optional().describe('Default: default; the command line wins.'),
  gamma: z
    .number()
    .min(0)
    .default(12)
    .describe(
      'How long to put off an eviction that is likely to be regretted: 3 favours latency, 30 throughput.',
    ),
  starvation: duration.default(60_000).describe('After this long a request may evict at any price.'),
  drain: duration.default(Infinity).describe('How long an evicted model may finish what it is running.'),
  runners: positive.optional().describe('Most runners at a time. Default: as many as fit.'),
  queue: count.default(512).describe('Most requests that may wait, over all models.'),
  wait: duration.default(Infinity).describe('Longest wait of a request. Default: forever.'),
  keepAliveMode: z.enum(['strict', 'soft']).default('strict'),
  abandonedLoads: z.enum(['keep', 'abort']).default('keep').describe('A load whose clients have all left.'),
  gpuOverhead: size.default(0).describe("Added per GPU to a predicted need: the runtime's own memory."),
  loadStall: duration.default(300_000).describe('A load without a sign of life for this long has failed.'),
  load: duration.default(Infinity).describe('Longest load.'),
  answerLimit: duration
    .default(30_000)
    .describe('How long a process may give no answer before it counts as lost. Default: 30s.'),
  terminateGrace: duration.default(5_000).describe('From SIGTERM to SIGKILL.'),
  killAlarm: duration.default(10_000).describe('From SIGKILL to the alarm that a process does not end.'),
  probeEvery: duration.default(5_000).describe('Rest between two readings of the devices.'),
  probeDeadline: duration.default(3_000).describe('A probe that takes longer is given up.'),
  recoveryPoll: duration.default(250).describe('Rest between two looks at memory that comes back.'),
  recoveryLimit: duration.default(5_000).describe('Longest wait for memory to come back.'),
});

/** A scenario as it is written: devices, models, settings, what happens, and what must come of it. */
export const scenarioSchema = z.strictObject({
  about: z.string().optional().describe('What it shows, in a sentence.'),
  from: z.array(z.string()).optional().describe('Where the story comes from: [I1, D2].'),
  devices: z.record(z.string(), device).default({}).describe('Devices by id: CUDA0: 24GiB.'),
  models: z.record(z.string().min(1), z.strictObject(modelShape)).describe('Models by name.'),
  settings: settings.prefault({}).describe('What differs from the defaults.'),
  preload: z.array(z.string()).default([]).describe('Models that are loaded at start, in this order.'),
  demand: z
    .record(z.string(), z.array(z.number().min(0)))
    .default({})
    .describe('What was learned before: weights of the gaps between requests, by model (docs/policy.md).'),
  timeline: z.array(step).describe('What happens, and when.'),
  until: duration
    .optional()
    .describe('When the run ends. Default: once everything is answered and nothing moves any more.'),
  tolerance: duration.default(500).describe('How far off a single expected time may be. Default: 500ms.'),
  expect: expectations.optional().describe('What must come of it under the default policy.'),
  ollama: expectations.optional().describe("What comes of it under Ollama's policy."),
});

/** A scenario with all defaults filled in: sizes in bytes, times in ms. */
export type Scenario = z.output<typeof scenarioSchema>;
export type ScenarioInput = z.input<typeof scenarioSchema>;
export type ScenarioModel = Scenario['models'][string];
export type ScenarioDevice = Scenario['devices'][string];

/** The schema that editors complete from; kept in `corral-scenario.schema.json`. */
export const scenarioJsonSchema = (): object => ({
  ...z.toJSONSchema(scenarioSchema, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema !== device) return;
      const whole = z.toJSONSchema(fullDevice, { io: 'input', unrepresentable: 'any' });
      for (const key of Object.keys(jsonSchema)) delete jsonSchema[key as keyof typeof jsonSchema];
      jsonSchema.anyOf = [{ type: 'string' }, { type: 'number' }, { ...whole, $schema: undefined } as never];
    },
  }),
  title: 'A Corral scenario',
});
