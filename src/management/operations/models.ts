import { z } from 'zod';
import type { KeepAlive } from '../../../machines/vocabulary.ts';
import type { CatalogueEntry } from '../../catalogue.ts';
import { nearMisses } from '../../config/model-names.ts';
import { parseDuration } from '../../config/parse-duration.ts';
import { ServiceError } from '../../errors.ts';
import { explainModel } from '../explain-model.ts';
import { loadModel } from '../load-model.ts';
import { accepted, flag, ok, operation, type Operation } from '../operation.ts';
import { assertLoading, settingsOf, type ManagementParts } from '../parts.ts';
import { ProblemError } from '../problem.ts';
import { explanationSchema, modelListSchema, modelSchema, type ModelStatus } from '../schemas.ts';
import { modelStatus } from '../views.ts';
import { forceSchema, secondsSchema } from './ending.ts';
import { ledgerOf } from '../../ledger-of.ts';

const params = z.strictObject({
  name: z.string().describe('A name or alias. Percent-encoded, since it may hold slashes: hf%3Auser%2Frepo.'),
});

const keepAlive = z
  .union([z.string(), z.number()])
  .refine((value) => parseDuration(value) !== null, {
    error: 'expected a duration such as 30s, 5m, 1h30m, forever or a number of seconds',
  })
  .transform((value): KeepAlive => {
    const ms = parseDuration(value) ?? 0;
    return ms === Infinity ? 'forever' : ms;
  })
  .describe('How long it stays after its last request: 5m, forever, or seconds. Default: as it was.');

const NEAR_MISSES = 5;

/** The model of a name or alias; 404 with what may have been meant. */
function find({ catalogue }: ManagementParts, name: string): CatalogueEntry {
  try {
    return catalogue.find(name);
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    const names = catalogue.entries.map((entry) => entry.name);
    const near = nearMisses(name, names).slice(0, NEAR_MISSES);
    throw new ProblemError(404, error.code, error.message, { nearMisses: near });
  }
}

export const modelOperations = (parts: ManagementParts): readonly Operation[] => {
  const statusOf = (entry: CatalogueEntry): ModelStatus => modelStatus(entry, ledgerOf(parts.scheduler));
  return [...reads(parts, statusOf), ...commands(parts, statusOf)];
};

type StatusOf = (entry: CatalogueEntry) => ModelStatus;

const reads = (parts: ManagementParts, statusOf: StatusOf): readonly Operation[] => [
  operation({
    method: 'GET',
    path: '/models',
    id: 'listModels',
    tag: 'Models',
    summary: 'The configured models',
    answer: modelListSchema,
    statuses: { 200: 'All models, in the order of the configuration.' },
    handle: () => ok({ models: parts.catalogue.entries.map(statusOf) }),
  }),
  operation({
    method: 'GET',
    path: '/models/{name}',
    id: 'getModel',
    tag: 'Models',
    summary: 'One model',
    params,
    answer: modelSchema,
    statuses: { 200: 'The model.' },
    problems: [404],
    handle: (call) => ok(statusOf(find(parts, call.params.name))),
  }),
  operation({
    method: 'GET',
    path: '/explain/{name}',
    id: 'explainModel',
    tag: 'Models',
    summary: 'Why a model is in its state, who waits for it, and what would have to happen',
    params,
    answer: explanationSchema,
    statuses: { 200: 'The explanation.' },
    problems: [404],
    handle: (call) =>
      ok(
        explainModel(
          find(parts, call.params.name),
          ledgerOf(parts.scheduler),
          parts.decisions(),
          settingsOf(parts).runner,
        ),
      ),
  }),
];

const commands = (parts: ManagementParts, statusOf: StatusOf): readonly Operation[] => [
  operation({
    method: 'POST',
    path: '/models/{name}/load',
    id: 'loadModel',
    tag: 'Models',
    summary: 'Loads a model, as a request for it would',
    params,
    query: z.strictObject({
      wait: flag().default(false).describe('Answer when it is loaded, or its load has failed.'),
    }),
    answer: modelSchema,
    statuses: { 200: 'It is loaded (with wait).', 202: 'Its load is begun, or stands in line.' },
    problems: [404, 500, 502, 503, 504, 507],
    handle: async ({ params: { name }, query: { wait }, signal }) => {
      const { spec } = find(parts, name);
      const wanted = spec ?? parts.catalogue.resolve(name);
      assertLoading(parts);
      const begun = new AbortController();
      const loading = loadModel(parts.scheduler, wanted, wait ? signal : begun.signal);
      // Without waiting, too: a refusal that is certain at once is told at once.
      await (wait ? loading : Promise.race([loading, Promise.resolve()]));
      begun.abort();
      const status = statusOf(find(parts, name));
      return wait ? ok(status) : accepted(status);
    },
  }),
  operation({
    method: 'POST',
    path: '/models/{name}/unload',
    id: 'unloadModel',
    tag: 'Models',
    summary: 'Unloads a model; requests that wait for it are refused',
    params,
    body: z.strictObject({ drainSeconds: secondsSchema.optional(), force: forceSchema }),
    answer: modelSchema,
    statuses: { 202: 'Its runners are told to go.' },
    problems: [404, 409],
    handle: ({ params: { name }, body }) => {
      const entry = find(parts, name);
      const { plan } = settingsOf(parts);
      const { runners, waiting } = statusOf(entry);
      if (runners.length === 0 && waiting === 0)
        throw new ProblemError(409, 'not_loaded', `${entry.name} is not loaded, and nobody waits for it.`);
      const drainMs = body.drainSeconds === undefined ? plan.drainMs : body.drainSeconds * 1000;
      parts.scheduler.send({ type: 'model.unload', model: entry.name, drainMs: body.force ? 0 : drainMs });
      return accepted(statusOf(entry));
    },
  }),
  operation({
    method: 'POST',
    path: '/models/{name}/pin',
    id: 'pinModel',
    tag: 'Models',
    summary:
      'Pins a model, or unpins it: a pinned one is loaded, never evicted, and loaded again after a crash',
    params,
    body: z.strictObject({ pinned: z.boolean(), keepAlive: keepAlive.optional() }),
    answer: modelSchema,
    statuses: { 200: 'So it is, until Corral is started again.' },
    problems: [404, 500, 503],
    handle: ({ params: { name }, body: { pinned, keepAlive: wanted } }) => {
      const { spec } = find(parts, name);
      const known = spec ?? parts.catalogue.resolve(name);
      assertLoading(parts);
      const kept = parts.catalogue.keep(known, { pinned, keepAlive: wanted ?? known.keepAlive });
      parts.scheduler.send({ type: 'model.keep', model: kept.name, keepAlive: kept.keepAlive, pinned });
      if (pinned) parts.scheduler.send({ type: 'model.load', spec: kept });
      return ok(statusOf(find(parts, name)));
    },
  }),
];
