import { z } from 'zod';
import { needsOf, needSources, placements } from '../../machines/vocabulary.ts';

/** The schemas that the OpenAPI document lists by name. */
export const components = z.registry<{ readonly id: string }>();

/** What a schema describes, as code that only reads it has it. */
export type Shape<Schema extends z.ZodType> = Immutable<z.output<Schema>>;
type Immutable<T> = T extends object ? { readonly [K in keyof T]: Immutable<T[K]> } : T;

const bytes = z.number().min(0);
const ms = z.number().min(0);
const count = z.int().min(0);
const perDevice = z.record(z.string(), bytes);
const keepAlive = z
  .union([ms, z.literal('forever')])
  .describe('How long an idle runner stays, from the end of its last lease.');

const runnerState = z.enum([
  'loading',
  'ready',
  'idle',
  'expiring',
  'unloading',
  'vram-recovering',
  'failed',
  'gone',
]);

export const deviceSchema = z
  .object({
    id: z.string().describe('As the runtime names it: CUDA0, ROCm1, Metal, CPU.'),
    name: z.string(),
    kind: z.enum(['discrete', 'integrated', 'cpu']),
    totalBytes: bytes,
    limitBytes: bytes.describe('What Corral may use of it.'),
    freeBytes: bytes.nullable().describe('As the device last said; null when that is unknown.'),
    reservedBytes: bytes.describe('Promised to runners.'),
    claimedBytes: bytes.describe('Promised to models that wait until others have gone.'),
    othersBytes: bytes.describe('What other programs hold, as far as that can be told.'),
    sharesMainMemory: z
      .boolean()
      .describe('What it holds is main memory, and is counted with CPU already: leave it out of sums.'),
    pause: z
      .enum(['queueing', 'refusing'])
      .nullable()
      .describe(
        'It is given to something else, and requests that need it wait or are refused; null: it is not.',
      ),
  })
  .register(components, { id: 'Device' });

export const runnerSchema = z
  .object({
    id: z.string().describe('Never used again.'),
    model: z.string(),
    state: runnerState,
    reason: z.string().describe('Why it is in this state.'),
    leases: count.describe('Requests that it is serving.'),
    slots: count.describe('Requests that it serves at a time.'),
    pid: z.int().nullable().describe('The process; null until there is one.'),
    reservedBytes: perDevice.describe('Memory reserved for it, per device.'),
    needBytes: bytes.describe('What it was expected to need when it was started.'),
    needSource: z.enum(needSources).describe('Where that figure is from.'),
    measuredBytes: bytes.nullable().describe('What it was seen to hold; null as long as that is unknown.'),
    keepAliveMs: keepAlive,
    pinned: z.boolean().describe('Never evicted, and loaded again after a crash.'),
    idleLeftMs: ms.nullable().describe('Until its keep-alive ends; null while busy, and when it never ends.'),
    loadMs: ms.nullable().describe('What its load has taken; null while it loads.'),
    progress: z.number().min(0).max(1).nullable().describe('Of its load; null when unknown, and afterwards.'),
    sinceMs: ms.describe('In this state for so long.'),
  })
  .register(components, { id: 'Runner' });

export const waitSchema = z
  .object({
    id: z.string().describe('The lease that it waits for.'),
    model: z.string(),
    position: z.int().min(1).describe('1 is next in line for this model.'),
    reason: z.string().describe('What it waits for.'),
    waitedMs: ms,
    estimateMs: ms
      .nullable()
      .describe('Until it gets a runner; null when that depends on how long others generate.'),
  })
  .register(components, { id: 'Wait' });

export const statusSchema = z
  .object({
    version: z.string(),
    state: z.enum(['starting', 'running', 'draining', 'stopped']),
    uptimeMs: ms,
    devices: z.array(deviceSchema),
    runners: z.array(runnerSchema),
    queue: z.array(waitSchema),
    failed: z
      .array(z.object({ model: z.string(), code: z.string(), message: z.string() }))
      .describe('Models that are not there because their last load, or the process of that, has failed.'),
  })
  .describe('The whole picture at one moment.')
  .register(components, { id: 'Status' });

const needShape = {
  needBytes: bytes.describe('On its devices, in all.'),
  needSource: z.enum(needSources).describe('Where that figure is from.'),
  hostBytes: bytes.describe('Of main memory beside that, wherever it runs.'),
  needParts: z
    .array(
      z.object({
        of: z.enum(needsOf),
        bytes,
        inMainMemory: z.boolean().describe('There wherever its layers are.'),
      }),
    )
    .describe('What it was predicted to be made of; empty where the configuration says it.'),
};

export const modelSchema = z
  .object({
    name: z.string(),
    aliases: z.array(z.string()).describe('Other names that requests may use.'),
    state: z
      .enum([...runnerState.options, 'unloaded', 'unusable'])
      .describe(
        'Of its latest runner; without one it is unloaded, failed where its last load or the process of that did, or unusable.',
      ),
    runners: z.array(z.string()).describe('Ids of its runners.'),
    waiting: count.describe('Requests that wait for it.'),
    problem: z
      .object({ code: z.string(), message: z.string() })
      .nullable()
      .describe('Why it cannot be used, or what it failed on; null when neither is so.'),
    options: z
      .object({
        runtime: z.enum(['embedded', 'llama-server', 'command']),
        contextTokens: count.describe('That one request may use.'),
        slots: count,
        embedding: z.boolean(),
        placement: z.enum(placements),
        devices: z.array(z.string()).nullable().describe('The only ones that it may use; null for any.'),
        keepAliveMs: keepAlive,
        pinned: z.boolean(),
        ...needShape,
        loadEstimateMs: ms,
        maxQueue: count.describe('Most requests that may wait for it.'),
        paths: z
          .array(z.string())
          .nullable()
          .describe('What a command serves, `*` at the end for all that begin so; null for llama-server.'),
      })
      .nullable()
      .describe('What a runner of it is started with; null when it cannot be used.'),
  })
  .register(components, { id: 'Model' });

export const decisionSchema = z
  .object({
    seq: count.describe('Counts up from 1; ask for what comes after it.'),
    at: z.iso.datetime(),
    kind: z.enum([
      'grant',
      'refuse',
      'load',
      'evict',
      'claim',
      'unclaim',
      'unload',
      'loaded',
      'failed',
      'unrecovered',
      'outgrown',
      'stuck',
    ]),
    model: z.string(),
    runnerId: z.string().nullable(),
    leaseId: z.string().nullable(),
    reason: z.string(),
    code: z
      .string()
      .nullable()
      .describe('The reason for programs; null but for evictions, refusals and failures.'),
    reservedBytes: perDevice.nullable().describe('What was promised, per device.'),
  })
  .register(components, { id: 'Decision' });

export const explanationSchema = z
  .object({
    model: z.string(),
    state: modelSchema.shape.state,
    reason: z.string().describe('Why it is in this state.'),
    next: z.string().describe('What would have to happen for that to change.'),
    modes: z
      .object({
        requests: z.enum(['none', 'waiting', 'claiming']),
        process: z.enum(['none', 'starting', 'serving', 'leaving']),
        loads: z.enum(['allowed', 'backing-off']),
        device: z.enum(['shared', 'alone']),
        pin: z.enum(['free', 'pinned']),
        place: z.enum(['held', 'displaced']),
      })
      .describe("Where its chart stands, region by region (docs/statecharts.md, 'model')."),
    need: z.object(needShape).nullable().describe('What it needs; null when it cannot be used.'),
    conversations: z
      .string()
      .nullable()
      .describe('Whether they survive an unload, and why not; null when it cannot be used.'),
    runners: z.array(runnerSchema),
    queue: z.array(waitSchema),
    claim: z
      .object({
        reservedBytes: perDevice.describe('Memory that is promised to it.'),
        awaits: z.array(z.string()).describe('The runners that have to go first.'),
      })
      .nullable(),
    retryInMs: ms
      .nullable()
      .describe('After several failed loads: until the next may be tried. Null when it may be at once.'),
    decisions: z.array(decisionSchema).describe('The last ones about it, oldest first.'),
  })
  .describe('Why a model is in the state that it is in.')
  .register(components, { id: 'Explanation' });

export const logSchema = z
  .object({
    runnerId: z.string(),
    lines: z.array(z.string()).describe('Oldest first, plain text.'),
  })
  .register(components, { id: 'Log' });

const fromTo = {
  key: z.string().describe('As in corral.yaml.'),
  from: z.string().nullable().describe('As it would be written; null where it is not set.'),
  to: z.string().nullable(),
};

export const reloadSchema = z
  .object({
    applied: z.boolean().describe('False for a dry run.'),
    models: z.array(
      z.object({
        name: z.string(),
        change: z.enum(['added', 'removed', 'changed']),
        fields: z.array(z.object(fromTo)).describe('What is different, defaults included.'),
        runners: z.array(z.string()).describe('Runners that may finish what they are running, and go.'),
        waiting: count.describe('Requests that are refused, since there is no such model any more.'),
      }),
    ),
    settings: z.array(
      z.object({ ...fromTo, needsRestart: z.boolean().describe('Whether it counts only after a restart.') }),
    ),
    warnings: z.array(z.string()).describe('Folders that could not be read, and the like.'),
    needed: z
      .array(
        z.object({
          consent: z.enum(['dropKeys', 'force']).describe('What has to be true in the request.'),
          reason: z.string(),
        }),
      )
      .describe('What has to be said for it to be applied, since it takes much away.'),
    text: z.array(z.string()).describe('The same in words, a line each.'),
  })
  .describe('What a new configuration changes.')
  .register(components, { id: 'Reload' });

export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string().describe("The status, in HTTP's words."),
    status: z.int(),
    detail: z.string().describe('What is wrong, for people.'),
    code: z.string().describe('What is wrong, for programs: it stays the same.'),
    errors: z
      .array(
        z.object({
          path: z.string().describe('body.drainSeconds; of a configuration, the key.'),
          message: z.string(),
          file: z.string().optional(),
          line: count.optional().describe('From 1.'),
          column: count.optional(),
          source: z.string().optional().describe('The environment variable or option that it is from.'),
        }),
      )
      .optional()
      .describe('With 400 and 422: each part that is wrong.'),
    nearMisses: z.array(z.string()).optional().describe('With 404: names that may have been meant.'),
    retryAfterSeconds: z.number().optional(),
  })
  .describe('Problem details (RFC 9457).')
  .register(components, { id: 'Problem' });

export const deviceListSchema = z
  .object({ devices: z.array(deviceSchema) })
  .register(components, { id: 'DeviceList' });
export const runnerListSchema = z
  .object({ runners: z.array(runnerSchema) })
  .register(components, { id: 'RunnerList' });
export const modelListSchema = z
  .object({ models: z.array(modelSchema) })
  .register(components, { id: 'ModelList' });
export const queueSchema = z.object({ queue: z.array(waitSchema) }).register(components, { id: 'Queue' });
export const decisionListSchema = z
  .object({ decisions: z.array(decisionSchema).describe('Oldest first.') })
  .register(components, { id: 'DecisionList' });

export const activitySchema = z
  .object({
    id: count.describe('Counts up from 1.'),
    at: z.iso.datetime().describe('When it arrived.'),
    model: z.string().nullable().describe('As it was asked for; null when none was named.'),
    caller: z.string().nullable().describe('The name of its key; null where none is asked for.'),
    method: z.string(),
    path: z.string(),
    api: z.string().describe('The family of APIs: openai, anthropic, ollama, llama-server.'),
    status: z.int(),
    outcome: z.string().describe('ok, client-gone, upstream-lost, refused.'),
    stream: z.boolean(),
    runnerId: z.string().nullable(),
    inputTokens: count.nullable().describe('Cached ones among them; null where its runner did not say.'),
    cachedTokens: count.nullable(),
    outputTokens: count.nullable(),
    waitMs: ms.describe('For a runner, a load included.'),
    loadMs: ms,
    firstByteMs: ms.nullable().describe('From its arrival to the first byte of the reply.'),
    durationMs: ms.describe('From its arrival to the end of the reply.'),
    promptPerSecond: z.number().nullable().describe('Tokens of the prompt that were read in a second.'),
    generatedPerSecond: z.number().nullable(),
    requestBytes: count,
    replyBytes: count,
    hasBodies: z.boolean().describe('Whether its bodies are kept (activity.bodies).'),
  })
  .describe('A request that has ended.')
  .register(components, { id: 'Activity' });
export const activityListSchema = z
  .object({ requests: z.array(activitySchema).describe('Oldest first.') })
  .register(components, { id: 'ActivityList' });
export const bodiesSchema = z
  .object({
    request: z.string().describe('As its runner got it.'),
    reply: z.string().describe('As its runner gave it.'),
    isCut: z.boolean().describe('Whether only the beginning of one is kept.'),
  })
  .register(components, { id: 'Bodies' });

export type DeviceStatus = Shape<typeof deviceSchema>;
export type RunnerStatus = Shape<typeof runnerSchema>;
export type WaitStatus = Shape<typeof waitSchema>;
export type ServiceStatus = Shape<typeof statusSchema>;
export type ModelStatus = Shape<typeof modelSchema>;
export type DecisionEntry = Shape<typeof decisionSchema>;
export type Explanation = Shape<typeof explanationSchema>;
export type ReloadReport = Shape<typeof reloadSchema>;
export type ModelDifference = ReloadReport['models'][number];
export type NeededConsent = ReloadReport['needed'][number];
export type SettingChange = ReloadReport['settings'][number];
export type ProblemDetails = Shape<typeof problemSchema>;
