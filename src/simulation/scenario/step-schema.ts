import { z } from 'zod';
import { failureCodes } from './failure-codes.ts';
import { changedModel } from './model-schema.ts';
import { duration, instant, positive, size } from './scalars.ts';
import { changedSettings } from './settings-schema.ts';

/** What a model can be given anew while the scenario runs; see `modelShape`. */
const change = z.strictObject({
  needs: size.optional(),
  loads: duration.optional(),
  exits: duration.optional(),
  really: size.optional(),
  keepAlive: duration.optional(),
  slots: positive.optional(),
  pin: z.boolean().optional(),
  devices: z.array(z.string()).optional(),
  context: positive.optional(),
  adapters: z.array(z.string()).optional(),
  args: z.array(z.string()).optional(),
  placement: z.enum(['gpu-only', 'gpu-or-cpu', 'cpu-if-full', 'cpu-only']).optional(),
});

const fault = z
  .strictObject({
    crash: z.string().optional().describe("The model's process ends by itself."),
    signal: z.string().optional().describe('With crash: by this signal; SIGKILL when not given.'),
    exitCode: z.number().int().optional().describe('With crash: with this exit code.'),
    runsOutOfMemory: z
      .string()
      .optional()
      .describe("The model's process runs out of memory while it serves."),
    grows: z.string().optional().describe("The model's process comes to hold more while it serves."),
    stopsAnswering: z.string().optional().describe("The model's process runs on and answers no more."),
    loadFails: z.string().optional().describe('Loads of this model fail.'),
    code: z.enum(failureCodes).optional().describe('With loadFails: how. Default: load_failed.'),
    after: duration.optional().describe('With loadFails and goesSilent: after this much of the load.'),
    times: positive.optional().describe('With loadFails: so many loads, then all is well.'),
    neverReady: z.string().optional().describe('Processes of this model start and are never ready.'),
    goesSilent: z.string().optional().describe('A load of this model stops showing life and never ends.'),
    ignoresTerminate: z.string().optional().describe('Processes of this model ignore SIGTERM.'),
    ignoresKill: z
      .string()
      .optional()
      .describe('Processes of this model ignore SIGTERM, and SIGKILL for a while.'),
    for: duration.optional().describe('With ignoresKill: for so long.'),
    fileDisappears: z.string().optional().describe("The model's file is gone: loads fail at once."),
    heals: z.string().optional().describe('Ends the faults of a model.'),
    memoryBack: z.string().optional().describe("From now on this device's memory comes back otherwise."),
    takes: duration
      .optional()
      .describe('With memoryBack and probe: this long; forever for never. With grows: within this time.'),
    leaks: size.optional().describe('With memoryBack: so much is lost each time.'),
    otherProgram: z.string().optional().describe('Another program holds memory of this device.'),
    holds: size.optional().describe('With otherProgram and grows: so much, in all.'),
    probe: z.enum(['fails', 'hangs', 'works']).optional().describe('All probes from now on.'),
    device: z.string().optional().describe('Probes of this one device from now on.'),
    reads: z
      .enum(['gone', 'unknown', 'stale', 'true'])
      .optional()
      .describe('With device: not listed; without its free memory; with the last value; rightly.'),
  })
  .superRefine((value, context) => exactlyOne(value, faultKinds, 'fault', context));

const reload = z.strictObject({
  models: z.record(z.string().min(1), changedModel).default({}).describe('New or changed ones, whole.'),
  removed: z.array(z.string()).default([]).describe('Models that there are no more.'),
  settings: changedSettings.prefault({}).describe('What differs from before.'),
  limits: z
    .record(z.string(), size)
    .optional()
    .describe('The most that Corral may use of each device; all of it where nothing is said.'),
  preload: z.array(z.string()).default([]).describe('Models to load now, beside those that are pinned anew.'),
});

const faultKinds = {
  crash: ['signal', 'exitCode'],
  runsOutOfMemory: [],
  grows: ['holds', 'takes'],
  stopsAnswering: [],
  loadFails: ['code', 'after', 'times'],
  neverReady: [],
  goesSilent: ['after'],
  ignoresTerminate: [],
  ignoresKill: ['for'],
  fileDisappears: [],
  heals: [],
  memoryBack: ['takes', 'leaks'],
  otherProgram: ['holds'],
  probe: ['takes'],
  device: ['reads'],
} as const;

const stepKinds = {
  request:
    'as for tokens keepAlive priority wait times every clients until givesUpAfter retries context adapters projector args placement needs'.split(
      ' ',
    ),
  cancel: [],
  end: [],
  load: [],
  stop: ['drain'],
  pause: ['drain', 'refuse'],
  resume: [],
  keep: ['keepAlive', 'pin'],
  change: ['to'],
  reload: [],
  shutdown: ['drain'],
  hurry: [],
  fault: [],
} as const;

/** Of one step; a slip of the finger must not keep a machine busy for hours. */
const MOST_REQUESTS = 100_000;

/** One line of the timeline: at a time, one thing. */
export const step = z
  .strictObject({
    at: instant.describe('When.'),
    late: z.boolean().optional().describe('After all else that is due at this very instant.'),
    request: z.string().optional().describe('A request for this model arrives.'),
    as: z.string().optional().describe('Its name. Default: r1, r2… in the order of the file.'),
    for: duration.optional().describe('How long it runs once granted. Default: until `end` or `cancel`.'),
    tokens: positive.optional().describe("Instead of `for`: so many at the model's tokensPerSecond."),
    keepAlive: duration.optional().describe("The client's own keep-alive."),
    priority: z.enum(['interactive', 'normal', 'batch']).optional(),
    wait: duration.optional().describe('Longest wait of this request.'),
    times: positive.max(MOST_REQUESTS).optional().describe('So many of them, named r1.1, r1.2…'),
    every: duration.optional().describe('With times: the time between two. Default: all at once.'),
    clients: positive
      .max(MOST_REQUESTS)
      .optional()
      .describe('So many clients that ask again as soon as they are answered.'),
    until: instant.optional().describe('With clients: when they stop.'),
    givesUpAfter: duration.optional().describe('The client leaves when it has waited so long…'),
    retries: positive.optional().describe('…and asks again, so many times.'),
    context: positive.optional().describe('With other options than the model has: see models.'),
    adapters: z.array(z.string()).optional(),
    projector: z.string().optional(),
    args: z.array(z.string()).optional(),
    placement: z.enum(['gpu-only', 'gpu-or-cpu', 'cpu-if-full', 'cpu-only']).optional(),
    needs: size.optional().describe('What the model needs with these options.'),
    cancel: z.string().optional().describe('The client of this request leaves.'),
    end: z.string().optional().describe('This request ends.'),
    load: z.string().optional().describe('This model is to be loaded.'),
    stop: z.string().optional().describe('This model is to be stopped.'),
    drain: duration
      .optional()
      .describe(
        'With stop, pause and shutdown: how long running requests may go on. Default: 30s; 0 for at once.',
      ),
    pause: z.string().optional().describe('This device is wanted for something else: who runs on it goes.'),
    refuse: z
      .literal(true)
      .optional()
      .describe('With pause: requests that need it are refused. Default: they wait.'),
    resume: z.string().optional().describe('It is given back.'),
    keep: z.string().optional().describe('Keep-alive and pin of this loaded model are changed.'),
    pin: z.boolean().optional(),
    change: z.string().optional().describe('The configuration of this model is changed…'),
    to: change.optional().describe('…to this, for requests that come later.'),
    reload: reload.optional().describe('A new configuration, as a running Corral takes it.'),
    shutdown: z.literal(true).optional().describe('Corral is told to end.'),
    hurry: z.literal(true).optional().describe('Corral is told to end at once.'),
    fault: fault.optional().describe('Something goes wrong.'),
  })
  .superRefine((value, context) => exactlyOne(value, stepKinds, 'step', context))
  .refine(({ clients, for: runs }) => clients === undefined || runs !== 0, {
    path: ['for'],
    error: 'clients that ask again at once never let time pass: expected more than 0',
  });

export type Step = z.output<typeof step>;
export type Fault = z.output<typeof fault>;
export type ModelChange = z.output<typeof change>;
export type Reload = z.output<typeof reload>;

/** Each line says one thing, and nothing that belongs to another. */
function exactlyOne(
  value: object,
  kinds: Readonly<Record<string, readonly string[]>>,
  noun: string,
  context: z.RefinementCtx,
): void {
  const given = Object.keys(value).filter((key) => key in kinds && value[key as keyof object] !== undefined);
  const [kind, second] = given;
  if (kind === undefined)
    return context.addIssue({
      code: 'custom',
      message: `a ${noun} needs one of: ${Object.keys(kinds).join(', ')}`,
    });
  if (second !== undefined)
    return context.addIssue({
      code: 'custom',
      path: [second],
      message: `a ${noun} is one thing: ${kind} or ${second}`,
    });
  const allowed = ['at', 'late', kind, ...(kinds[kind] ?? [])];
  for (const key of Object.keys(value))
    if (!allowed.includes(key))
      context.addIssue({ code: 'custom', path: [key], message: `'${key}' does not go with '${kind}'` });
}
