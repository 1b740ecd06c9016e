import { z } from 'zod';
import type { DecisionRecord } from '../../../machines/scheduler/contract.ts';
import { findModel } from '../../config/model-names.ts';
import { settingsOf, type ManagementParts } from '../parts.ts';
import { accepted, ok, operation, wholeNumber, type Operation } from '../operation.ts';
import {
  decisionListSchema,
  decisionSchema,
  deviceListSchema,
  queueSchema,
  statusSchema,
} from '../schemas.ts';
import { decisionEntry } from '../views.ts';
import { secondsSchema } from './ending.ts';

const decisionQuery = z.strictObject({
  model: z.string().optional().describe('Only those about this model.'),
  kind: decisionSchema.shape.kind.optional().describe('Only those of this kind.'),
  after: wholeNumber(0, Number.MAX_SAFE_INTEGER)
    .optional()
    .describe('Only those that follow this seq: the first ones of them. Without it, the latest ones.'),
  limit: wholeNumber(1, 1_000).default(100).describe('How many.'),
});

export const serviceOperations = (parts: ManagementParts): readonly Operation[] => [
  operation({
    method: 'GET',
    path: '/status',
    id: 'getStatus',
    tag: 'Service',
    summary: 'The whole picture: devices, runners, and who waits for what',
    answer: statusSchema,
    statuses: { 200: 'As it is now.' },
    handle: () => ok(parts.status()),
  }),
  operation({
    method: 'GET',
    path: '/devices',
    id: 'listDevices',
    tag: 'Service',
    summary: 'The devices, and what is promised on each',
    answer: deviceListSchema,
    statuses: { 200: 'All devices.' },
    handle: () => ok({ devices: parts.status().devices }),
  }),
  operation({
    method: 'GET',
    path: '/queue',
    id: 'getQueue',
    tag: 'Service',
    summary: 'All requests that wait, and what each waits for',
    answer: queueSchema,
    statuses: { 200: 'Model by model, next in line first.' },
    handle: () => ok({ queue: parts.status().queue }),
  }),
  operation({
    method: 'GET',
    path: '/decisions',
    id: 'listDecisions',
    tag: 'Service',
    summary: 'What was decided, and why',
    query: decisionQuery,
    answer: decisionListSchema,
    statuses: { 200: 'Those that match. Older ones are forgotten.' },
    handle: ({ query }) => {
      const { entries } = parts.catalogue;
      const model = query.model && (findModel(query.model, entries)?.name ?? query.model);
      return ok({ decisions: select(parts.decisions(), { ...query, model }).map(decisionEntry) });
    },
  }),
  operation({
    method: 'GET',
    path: '/recording',
    id: 'getRecording',
    tag: 'Service',
    summary: 'What has happened since the start, as a scenario that `corral simulate` plays',
    answer: z.record(z.string(), z.unknown()),
    statuses: { 200: 'A scenario (docs/scenarios.md).' },
    handle: () => ok({ ...parts.recording() }),
  }),
  operation({
    method: 'POST',
    path: '/drain',
    id: 'drain',
    tag: 'Service',
    summary: 'Lets nobody new in, lets running requests finish, and unloads everything',
    body: z.strictObject({ seconds: secondsSchema.optional() }),
    answer: statusSchema,
    statuses: { 202: 'It has begun, and there is no way back but a new start.' },
    handle: ({ body: { seconds } }) => {
      const drainMs = seconds === undefined ? settingsOf(parts).plan.drainMs : seconds * 1000;
      const isOver = parts.scheduler.getSnapshot().status !== 'active';
      if (!isOver) parts.scheduler.send({ type: 'scheduler.drain', drainMs });
      return accepted(parts.status());
    },
  }),
];

function select(
  records: readonly DecisionRecord[],
  { model, kind, after, limit }: z.output<typeof decisionQuery>,
): readonly DecisionRecord[] {
  const matching = records.filter(
    (record) =>
      (model === undefined || record.model === model) &&
      (kind === undefined || record.kind === kind) &&
      record.seq > (after ?? 0),
  );
  return after === undefined ? matching.slice(-limit) : matching.slice(0, limit);
}
