import { z } from 'zod';
import { scopes } from '../auth/scopes.ts';
import { typedSchema } from '../management/operations/typed.ts';
import {
  deviceListSchema,
  modelSchema,
  problemSchema,
  runnerSchema,
  type Shape,
} from '../management/schemas.ts';
import { V } from './wire.ts';
import { lists, streams, type ChangeData, type SnapshotData, type Topic } from './rows.ts';

export type {
  ChangeData,
  Entries,
  Entry,
  ListChange,
  ListTopic,
  Row,
  SnapshotData,
  StreamTopic,
  Topic,
} from './rows.ts';

const v = z.literal(V);
/** What a client calls a message, to know its answer. */
export const messageId = z.string().min(1).max(64);
const seq = z.int().min(0);
const name = z.string().min(1).max(1_024);
const entries = (entry: z.ZodType) =>
  z.object({
    entries: z.array(entry).describe('Oldest first.'),
    leftOut: z.int().min(0).describe('How many came before these and are not told: too many at a time.'),
  });

const deviceNames = z.array(name).min(1).optional().describe('Default: all GPUs, or all that are paused.');
const ofRunner = z.strictObject({ runnerId: name });
const ofRunnerOrModel = z
  .strictObject({ runnerId: name.optional(), model: name.optional() })
  .refine(({ runnerId, model }) => (runnerId === undefined) !== (model === undefined), {
    error: 'expected either runnerId or model',
  });
const none = z.strictObject({}).optional();

/** What each topic has to be told; the others take nothing. */
const params = {
  runners: none,
  queue: none,
  devices: none,
  models: none,
  speeds: none,
  charts: none,
  actors: none,
  decisions: none,
  activity: none,
  events: none,
  log: ofRunnerOrModel,
  terminal: ofRunner,
} as const satisfies Record<Topic, z.ZodType>;

export type TopicParams<T extends Topic> = Shape<(typeof params)[T]>;

/** All that can be followed. */
export const topics = Object.keys(params) as Topic[];

const subscribeTo = <T extends Topic, P extends z.ZodType>(topic: T, params: P) =>
  z.strictObject({
    v,
    type: z.literal('subscribe'),
    id: messageId.describe('Names the subscription, for its reply and for unsubscribe.'),
    topic: z.literal(topic),
    params,
    after: seq
      .optional()
      .describe('Go on after this seq of the same session, if the changes are still there.'),
  });

/** Params and result of each command. */
export const commands = {
  'model.load': {
    params: z.strictObject({
      model: name,
      wait: z.boolean().default(false).describe('Reply when it is loaded, or its load has failed.'),
    }),
    result: modelSchema,
  },
  'model.unload': {
    params: z.strictObject({
      model: name,
      drainMs: z
        .number()
        .min(0)
        .max(1e9)
        .optional()
        .describe('How long running requests may go on. Default: limits.drain of the configuration.'),
    }),
    result: modelSchema,
  },
  'devices.pause': {
    params: z.strictObject({
      devices: deviceNames,
      refuse: z.boolean().default(false).describe('Requests that need them are refused, and do not wait.'),
    }),
    result: deviceListSchema,
  },
  'devices.resume': { params: z.strictObject({ devices: deviceNames }), result: deviceListSchema },
  'runner.stop': {
    params: z.strictObject({
      runnerId: name,
      force: z.boolean().default(false).describe('End running requests now.'),
    }),
    result: runnerSchema,
  },
  'terminal.write': {
    params: z.strictObject({ runnerId: name, text: typedSchema }),
    result: runnerSchema,
  },
  'model.pin': {
    params: z.strictObject({
      model: name,
      pinned: z.boolean(),
      keepAlive: z
        .union([z.string(), z.number()])
        .optional()
        .describe('How long it stays after its last request: 5m, forever, or seconds. Default: as it was.'),
    }),
    result: modelSchema,
  },
} as const;

export type CommandName = keyof typeof commands;
/** Params as a client writes them: what has a default may be left out. */
export type CommandInput<N extends CommandName> = z.input<(typeof commands)[N]['params']>;
export type CommandResult<N extends CommandName> = Shape<(typeof commands)[N]['result']>;

const commandOf = <N extends CommandName, P extends z.ZodType>(command: N, { params }: { params: P }) =>
  z.strictObject({ v, type: z.literal('command'), id: messageId, command: z.literal(command), params });

const subscribe = z.discriminatedUnion('topic', [
  subscribeTo('runners', params.runners),
  subscribeTo('queue', params.queue),
  subscribeTo('devices', params.devices),
  subscribeTo('models', params.models),
  subscribeTo('speeds', params.speeds),
  subscribeTo('charts', params.charts),
  subscribeTo('actors', params.actors),
  subscribeTo('decisions', params.decisions),
  subscribeTo('activity', params.activity),
  subscribeTo('events', params.events),
  subscribeTo('log', params.log),
  subscribeTo('terminal', params.terminal),
]);
const command = z.discriminatedUnion('command', [
  commandOf('model.load', commands['model.load']),
  commandOf('model.unload', commands['model.unload']),
  commandOf('runner.stop', commands['runner.stop']),
  commandOf('model.pin', commands['model.pin']),
  commandOf('devices.pause', commands['devices.pause']),
  commandOf('devices.resume', commands['devices.resume']),
  commandOf('terminal.write', commands['terminal.write']),
]);
const unsubscribe = z.strictObject({ v, type: z.literal('unsubscribe'), id: messageId });
const ping = z.strictObject({ v, type: z.literal('ping') });

/** Each message that a client may send. */
export const clientMessages = { subscribe, unsubscribe, command, ping } as const;
export const clientMessage = z.discriminatedUnion('type', [subscribe, unsubscribe, command, ping]);

const hello = z
  .object({
    v,
    type: z.literal('hello'),
    version: z.string().describe("Corral's."),
    sessionId: z.string().describe('This run of Corral: every seq counts within it.'),
    serverTime: z.iso.datetime(),
    scopes: z.array(z.enum(scopes)).describe('What this connection may do.'),
  })
  .describe('The first message on every connection.');

const topic = z.enum(topics);
const told = {
  params: z.record(z.string(), z.string()).optional().describe('As subscribed: log and terminal have some.'),
  seq: seq.describe('Counts up within a topic, not always by one.'),
};
const snapshot = z
  .object({
    v,
    type: z.literal('snapshot'),
    topic,
    ...told,
    reset: z
      .literal(true)
      .optional()
      .describe('Changes were left out before this: it takes the place of all that was told earlier.'),
    data: z.union([
      ...Object.values(lists).map((row) => z.array(row)),
      ...Object.values(streams).map((entry) => entries(entry)),
    ]),
  })
  .describe('A topic as a whole.');
const change = z
  .object({
    v,
    type: z.literal('change'),
    topic,
    ...told,
    data: z.union([
      ...Object.values(lists).map((row) =>
        z.object({
          upsert: z.array(row).describe('New or different, whole.'),
          remove: z.array(z.string()).describe('Ids of those that are gone.'),
        }),
      ),
      ...Object.values(streams).map((entry) => entries(entry)),
    ]),
  })
  .describe('What has changed in a topic since its seq before.');

const reply = z
  .discriminatedUnion('ok', [
    z.object({
      v,
      type: z.literal('reply'),
      id: messageId,
      ok: z.literal(true),
      result: z
        .unknown()
        .describe('Of a command: the model or the runner. Of subscribe: { seq, resumed }. Else {}.'),
    }),
    z.object({ v, type: z.literal('reply'), id: messageId, ok: z.literal(false), problem: problemSchema }),
  ])
  .describe('The answer to a message with an id: each well-formed one gets exactly one.');
const error = z
  .object({
    v,
    type: z.literal('error'),
    id: messageId.optional().describe('That of the message, if it had one.'),
    problem: problemSchema,
  })
  .describe('To a message that could not be read; `problem.errors` names the parts that are wrong.');
const pong = z.object({ v, type: z.literal('pong') });

/** Each message that the server may send. */
export const serverMessages = { hello, snapshot, change, reply, error, pong } as const;

export type ClientMessage = z.output<typeof clientMessage>;
export type Subscribe = z.output<typeof subscribe>;
export type Command = z.output<typeof command>;
export type Hello = Shape<typeof hello>;
export type Reply = Shape<typeof reply>;
export type ServerError = Shape<typeof error>;

interface Told<T extends Topic> {
  readonly v: typeof V;
  readonly topic: T;
  readonly params?: TopicParams<T>;
  readonly seq: number;
}
export interface Snapshot<T extends Topic = Topic> extends Told<T> {
  readonly type: 'snapshot';
  readonly reset?: true;
  readonly data: SnapshotData<T>;
}
export interface Change<T extends Topic = Topic> extends Told<T> {
  readonly type: 'change';
  readonly data: ChangeData<T>;
}
export type ServerMessage = Hello | Snapshot | Change | Reply | ServerError | { v: typeof V; type: 'pong' };
