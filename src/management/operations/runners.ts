import { z } from 'zod';
import { nearMisses } from '../../config/model-names.ts';
import { runnerStatus, type RunnerStatus } from '../../status.ts';
import { followLog } from '../follow-log.ts';
import { accepted, ok, operation, wholeNumber, type Operation } from '../operation.ts';
import { settingsOf, type ManagementParts } from '../parts.ts';
import { ProblemError } from '../problem.ts';
import { logSchema, runnerListSchema, runnerSchema } from '../schemas.ts';
import { forceSchema } from './ending.ts';
import { typedSchema } from './typed.ts';
import type { RunnerRow } from '../../../machines/scheduler/tables.ts';
import { ledgerOf } from '../../ledger-of.ts';

const params = z.strictObject({ id: z.string().describe('A runner: runner-1.') });
const logQuery = z.strictObject({
  lines: wholeNumber(0, 1_000).default(100).describe('How many of its last lines. About 500 are kept.'),
});

/** Would stop the terminal, and with it a process that prints. */
const XOFF = '\u0013';

const unknown = (parts: ManagementParts, id: string): ProblemError => {
  const ids = [...ledgerOf(parts.scheduler).runners.keys()];
  const known = ids.length > 0 ? `Runners: ${ids.join(', ')}.` : 'Nothing is loaded.';
  return new ProblemError(404, 'runner_not_found', `There is no runner '${id}'. ${known}`, {
    nearMisses: nearMisses(id, ids).slice(0, 5),
  });
};

function find(parts: ManagementParts, id: string): RunnerRow {
  const runner = ledgerOf(parts.scheduler).runners.get(id);
  if (!runner) throw unknown(parts, id);
  return runner;
}

/** A runner as it is by now; as it was when it has gone meanwhile. */
function statusNow({ scheduler }: ManagementParts, runner: RunnerRow): RunnerStatus {
  const ledger = ledgerOf(scheduler);
  return runnerStatus(ledger.runners.get(runner.id) ?? runner, ledger.now());
}

/** A runner that is there, or whose log is still kept. */
function assertHasLog(parts: ManagementParts, id: string): void {
  if (!ledgerOf(parts.scheduler).runners.has(id) && parts.logs.tail(id, 1).length === 0)
    throw unknown(parts, id);
}

export const runnerOperations = (parts: ManagementParts): readonly Operation[] => [
  ...reads(parts),
  ...commands(parts),
];

const reads = (parts: ManagementParts): readonly Operation[] => [
  operation({
    method: 'GET',
    path: '/runners',
    id: 'listRunners',
    tag: 'Runners',
    summary: 'The runners: one process each',
    answer: runnerListSchema,
    statuses: { 200: 'All runners, oldest first.' },
    handle: () => ok({ runners: parts.status().runners }),
  }),
  operation({
    method: 'GET',
    path: '/runners/{id}',
    id: 'getRunner',
    tag: 'Runners',
    summary: 'One runner',
    params,
    answer: runnerSchema,
    statuses: { 200: 'The runner.' },
    problems: [404],
    handle: (call) => ok(runnerStatus(find(parts, call.params.id), ledgerOf(parts.scheduler).now())),
  }),
  operation({
    method: 'GET',
    path: '/runners/{id}/log',
    id: 'getRunnerLog',
    tag: 'Runners',
    summary: 'The last lines that a runner printed; also of one that has gone, for a while',
    params,
    query: logQuery,
    answer: logSchema,
    statuses: { 200: 'Its last lines.' },
    problems: [404],
    handle: ({ params: { id }, query }) => {
      assertHasLog(parts, id);
      // The last 0 lines would be all of them.
      return ok({ runnerId: id, lines: query.lines === 0 ? [] : parts.logs.tail(id, query.lines) });
    },
  }),
  operation({
    method: 'GET',
    path: '/runners/{id}/log/follow',
    id: 'followRunnerLog',
    tag: 'Runners',
    summary: 'The last lines that a runner printed, and each further one until it has gone',
    params,
    query: logQuery,
    answer: z.string(),
    type: 'text/plain',
    statuses: { 200: 'Lines as they come. A reader who is too slow is told how many were left out.' },
    problems: [404],
    handle: ({ params: { id }, query }) => {
      assertHasLog(parts, id);
      return ok(followLog(parts, id, query.lines));
    },
  }),
];

const commands = (parts: ManagementParts): readonly Operation[] => [
  operation({
    method: 'POST',
    path: '/runners/{id}/stop',
    id: 'stopRunner',
    tag: 'Runners',
    summary: 'Stops one runner; who waits for a slot of it gets a fresh one',
    params,
    body: z.strictObject({ force: forceSchema }),
    answer: runnerSchema,
    statuses: { 202: 'It is told to go.' },
    problems: [404, 409],
    handle: ({ params: { id }, body: { force } }) => {
      const runner = find(parts, id);
      const { plan } = settingsOf(parts);
      if (runner.state === 'unloading' || runner.state === 'vram-recovering')
        throw new ProblemError(409, 'already_ending', `${id} is ending already: ${runner.reason}.`);
      parts.scheduler.send({ type: 'runner.stop', runnerId: id, drainMs: force ? 0 : plan.drainMs });
      return accepted(statusNow(parts, runner));
    },
  }),
  operation({
    method: 'POST',
    path: '/runners/{id}/terminal',
    id: 'writeTerminal',
    tag: 'Runners',
    summary: "Types into a runner's terminal",
    params,
    body: z.strictObject({ text: typedSchema }),
    answer: runnerSchema,
    statuses: { 202: 'It is written; what comes of it is in its log.' },
    problems: [404, 409],
    handle: ({ params: { id }, body: { text } }) => {
      const runner = find(parts, id);
      if (!parts.logs.type(id, text.replaceAll(XOFF, '')))
        throw new ProblemError(409, 'no_process', `${id} has no process to type to: it is ${runner.state}.`);
      return accepted(statusNow(parts, runner));
    },
  }),
];
