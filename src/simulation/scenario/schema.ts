import { z } from 'zod';
import { savedDemandSchema } from '../../config/saved-demand.ts';
import { expectations } from './expectation-schema.ts';
import { modelShape } from './model-schema.ts';
import { duration, instant, size } from './scalars.ts';
import { settings } from './settings-schema.ts';
import { step } from './step-schema.ts';

const fullDevice = z.strictObject({
  memory: size.describe('All of its memory: 24GiB.'),
  free: size.optional().describe('Free at the start; the rest is held by other programs. Default: all.'),
  limit: size.optional().describe('The most that Corral may use of it. Default: all.'),
  kind: z.enum(['discrete', 'integrated', 'cpu']).optional().describe('Default: discrete; cpu for CPU.'),
  sharesMainMemory: z
    .boolean()
    .optional()
    .describe('It has no memory of its own: what it holds is held of CPU as well. Default: false.'),
  library: z
    .string()
    .optional()
    .describe('Devices of different libraries never share a model. Default: CUDA.'),
  memoryBack: duration
    .optional()
    .describe(
      'How long after the end of a process its memory shows as free. Default: 1s on a discrete GPU, else 0.',
    ),
});

/** A device; `CUDA0: 24GiB` is short for `CUDA0: { memory: 24GiB }`. */
const device = z.preprocess((value) => (typeof value === 'object' ? value : { memory: value }), fullDevice);

/** A scenario as it is written: devices, models, settings, what happens, and what must come of it. */
export const scenarioSchema = z.strictObject({
  about: z.string().optional().describe('What it shows, in a sentence.'),
  from: z.array(z.string()).optional().describe('Where the story comes from: [I1, D2].'),
  devices: z.record(z.string(), device).default({}).describe('Devices by id: CUDA0: 24GiB.'),
  models: z.record(z.string().min(1), z.strictObject(modelShape)).describe('Models by name.'),
  settings: settings.prefault({}).describe('What differs from the defaults.'),
  preload: z.array(z.string()).default([]).describe('Models that are loaded at start, in this order.'),
  demand: z
    .record(z.string(), savedDemandSchema)
    .default({})
    .describe('What was learned of the use of models before, by model (docs/policy.md).'),
  timeline: z.array(step).describe('What happens, and when.'),
  until: instant
    .optional()
    .describe('When the run ends. Default: once everything is answered and nothing moves any more.'),
  tolerance: duration.default(500).describe('How far off a single expected time may be. Default: 500ms.'),
  expect: expectations.optional().describe('What must come of it under the default policy.'),
  ollama: expectations.optional().describe("What comes of it under Ollama's policy."),
  fifo: expectations.optional().describe("What comes of it under llama-swap's policy."),
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
