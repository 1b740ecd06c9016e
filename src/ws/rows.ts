import { z } from 'zod';
import {
  activitySchema,
  decisionSchema,
  deviceSchema,
  modelSchema,
  runnerSchema,
  waitSchema,
  type Shape,
} from '../management/schemas.ts';

/** A moment, where the status has a duration: a clock that only runs on is no change to be told. */
const moment = z.iso.datetime();

const runnerRow = runnerSchema.omit({ sinceMs: true, idleLeftMs: true }).extend({
  since: moment.describe('In this state since then.'),
  idleUntil: moment.nullable().describe('Its keep-alive ends then; null while busy, and when it never ends.'),
});

const waitRow = waitSchema.omit({ waitedMs: true, estimateMs: true }).extend({
  since: moment.describe('Waits since then.'),
  expectedAt: moment
    .nullable()
    .describe(
      'Expected to get a runner then, to a second; null when that depends on how long others generate.',
    ),
});

const modelRow = modelSchema.extend({ id: z.string().describe('Its name.') });

const speed = z
  .object({
    id: z.string().describe('The runner.'),
    tokensPerSecond: z.number().min(0).describe('Over all its slots, in the last second or so.'),
  })
  .describe('How fast a runner generates; there is none for one that serves nobody.');

const text = z.string();
const texts = z.array(text);

const chart = z
  .object({
    id: text,
    states: z.array(
      z.object({
        path: text.describe("Keys from the root down, joined by dots; the root itself is ''."),
        parent: text.nullable(),
        type: z.enum(['atomic', 'compound', 'parallel', 'final', 'history']),
        initial: text.nullable(),
        entry: texts,
        exit: texts,
        invokes: z.array(z.object({ id: text, src: text })),
        tags: texts,
        description: text.nullable(),
      }),
    ),
    transitions: z.array(
      z.object({
        id: text,
        source: text,
        event: text.describe("'' for always."),
        label: text.describe('The event in words.'),
        guard: text.nullable(),
        delay: z.union([text, z.number()]).nullable(),
        targets: texts,
        actions: texts,
        reenter: z.boolean(),
      }),
    ),
  })
  .describe('A statechart as data.');

const scalar = z.union([text, z.number(), z.boolean(), z.null()]);
const told = z.record(text, scalar);
const statePath = text.describe(
  'Path of the innermost state; of regions side by side all, with a space between.',
);

const actorRow = z
  .object({
    id: text.describe('scheduler, devices, runner-1.'),
    chart: text.describe('Id of its chart.'),
    state: statePath,
    context: told.describe('Of its context, what names things and says how they are; no keys, no requests.'),
    isOver: z.boolean().describe('It has come to its end; the last 20 of those are told.'),
  })
  .describe('An actor that has a chart, and where it stands on it.');

const effect = z
  .object({
    before: statePath.nullable().describe('Null when it has just been started.'),
    after: statePath.nullable(),
    took: texts.describe('Ids of the transitions that it took, in order.'),
    changed: z
      .record(text, z.tuple([scalar, scalar]))
      .describe('What has changed of what is told of its context: before, after.'),
  })
  .describe('What the receiver made of an event; nothing, when it has no chart or was no longer there.');

const actorEvent = z
  .object({
    at: moment,
    from: text.nullable().describe('The actor that sent it; null when it came from outside.'),
    to: text.describe('The actor that it was sent to: scheduler, runner-1, runner-1.process.'),
    type: text,
    data: told.describe('Of its content, what names things and says how they are; no keys, no requests.'),
    effect,
  })
  .describe('An event that one actor sent to another.');

const logLine = z
  .object({ runnerId: text, text, at: moment })
  .describe('A line that a runner printed, as plain text.');

/** Topics that are lists: each row has an `id`, and a change names the rows that are new or different, and those gone. */
export const lists = {
  runners: runnerRow,
  queue: waitRow,
  devices: deviceSchema,
  models: modelRow,
  speeds: speed,
  charts: chart,
  actors: actorRow,
} as const;

/** Topics that only go on: a snapshot has the last entries, and a change has further ones. */
export const streams = {
  decisions: decisionSchema,
  activity: activitySchema,
  events: actorEvent,
  log: logLine,
  terminal: text.describe('What a runner wrote to its terminal, escape sequences included.'),
} as const;

export type ListTopic = keyof typeof lists;
export type StreamTopic = keyof typeof streams;
export type Topic = ListTopic | StreamTopic;
/** A row of a list. */
export type Row<T extends ListTopic> = Shape<(typeof lists)[T]>;
/** An entry of a stream. */
export type Entry<T extends StreamTopic> = Shape<(typeof streams)[T]>;

/** What has changed in a list: rows that are new or different, whole, and the ids of those that are gone. */
export interface ListChange<T extends ListTopic> {
  readonly upsert: readonly Row<T>[];
  readonly remove: readonly string[];
}

/** Entries of a stream, oldest first. */
export interface Entries<T extends StreamTopic> {
  readonly entries: readonly Entry<T>[];
  /** How many came before these and are not told: there were too many at a time. */
  readonly leftOut: number;
}

export type SnapshotData<T extends Topic> = T extends ListTopic
  ? readonly Row<T>[]
  : T extends StreamTopic
    ? Entries<T>
    : never;
export type ChangeData<T extends Topic> = T extends ListTopic
  ? ListChange<T>
  : T extends StreamTopic
    ? Entries<T>
    : never;
