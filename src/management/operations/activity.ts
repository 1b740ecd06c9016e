import { z } from 'zod';
import { toCsv } from '../../activity/csv.ts';
import { findModel } from '../../config/model-names.ts';
import { ok, operation, wholeNumber, type Operation } from '../operation.ts';
import type { ManagementParts } from '../parts.ts';
import { ProblemError } from '../problem.ts';
import type { ActivityRow } from '../../activity/row-of.ts';
import { activityListSchema, bodiesSchema } from '../schemas.ts';

const query = z.strictObject({
  model: z.string().optional().describe('Only those for this model.'),
  caller: z.string().optional().describe('Only those with the key of this name.'),
  status: wholeNumber(100, 599).optional().describe('Only those that were answered so.'),
  after: wholeNumber(0, Number.MAX_SAFE_INTEGER).optional().describe('Only those after this id.'),
  limit: wholeNumber(1, 100_000).default(100_000).describe('How many, the latest ones.'),
});

export const activityOperations = (parts: ManagementParts): readonly Operation[] => {
  const { activity, catalogue } = parts;
  const select = (wanted: z.output<typeof query>): readonly ActivityRow[] => {
    const nameOf = (name: string): string => findModel(name, catalogue.entries)?.name ?? name;
    const model = wanted.model === undefined ? undefined : nameOf(wanted.model);
    return activity
      .latest()
      .filter(
        (row) =>
          (model === undefined || (row.model !== null && nameOf(row.model) === model)) &&
          (wanted.caller === undefined || row.caller === wanted.caller) &&
          (wanted.status === undefined || row.status === wanted.status) &&
          row.id > (wanted.after ?? 0),
      )
      .slice(-wanted.limit);
  };
  return [
    operation({
      method: 'GET',
      path: '/history',
      id: 'getHistory',
      tag: 'Service',
      summary: 'What the WebSocket told over the last minutes, as the page looks back at it',
      answer: z.string(),
      type: 'application/jsonl',
      statuses: {
        200: 'A JSON object per line: { at, topic, type, data }, oldest first; empty where none is kept.',
      },
      handle: () =>
        ok(
          parts
            .history()
            .map((line) => `${line}\n`)
            .join(''),
        ),
    }),
    operation({
      method: 'GET',
      path: '/activity',
      id: 'listActivity',
      tag: 'Service',
      summary: 'The last requests that models were asked: by whom, tokens, waits and speeds',
      query,
      answer: activityListSchema,
      statuses: { 200: 'Those that match. Older ones are forgotten.' },
      handle: ({ query: wanted }) => ok({ requests: select(wanted) }),
    }),
    operation({
      method: 'GET',
      path: '/activity.csv',
      id: 'getActivityCsv',
      tag: 'Service',
      summary: 'The same as CSV',
      query,
      answer: z.string(),
      type: 'text/csv',
      statuses: { 200: 'A line of names, and a line for each request.' },
      handle: ({ query: wanted }) => ok(toCsv(select(wanted))),
    }),
    operation({
      method: 'GET',
      path: '/activity/{id}',
      id: 'getBodies',
      tag: 'Service',
      summary: 'What one request said and was answered, where bodies are kept; for keys that manage',
      params: z.strictObject({ id: wholeNumber(1, Number.MAX_SAFE_INTEGER).describe('Of the request.') }),
      answer: bodiesSchema,
      statuses: { 200: 'Its bodies.' },
      problems: [404],
      handle: ({ params }) => {
        const bodies = activity.bodiesOf(params.id);
        if (bodies) return ok(bodies);
        throw new ProblemError(404, 'not_kept', `The bodies of request ${params.id} are not kept.`);
      },
    }),
  ];
};
