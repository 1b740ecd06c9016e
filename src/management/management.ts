import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { z } from 'zod';
import { callerOf } from '../auth/caller-names.ts';
import { activityOperations } from './operations/activity.ts';
import { configOperations } from './operations/config.ts';
import { deviceOperations } from './operations/devices.ts';
import { documentationOperations } from './operations/documentation.ts';
import { modelOperations } from './operations/models.ts';
import { runnerOperations } from './operations/runners.ts';
import { serviceOperations } from './operations/service.ts';
import type { Operation } from './operation.ts';
import type { ManagementParts } from './parts.ts';
import { invalid, problem, problemOf } from './problem.ts';
import type { ProblemDetails } from './schemas.ts';

export type { ManagementParts } from './parts.ts';

const PREFIX = '/api/v1';
/** Logs are no pages, and the page that there is needs nothing but its style. */
const SAFETY = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
  'cache-control': 'no-store',
};
const MAX_BODY_BYTES = 64 * 1024;
/** Names of models may be long: paths on hubs. */
const MAX_NAME_LENGTH = 1_024;

/**
 * The routes under `/api/v1`. Fastify answers them (`app.routing`), behind the server that owns the port: it stays off the
 * path of inference requests, where it would cost a quarter of the throughput.
 */
export async function createManagement(parts: ManagementParts): Promise<FastifyInstance> {
  const described = [
    ...serviceOperations(parts),
    ...activityOperations(parts),
    ...configOperations(parts),
    ...deviceOperations(parts),
    ...modelOperations(parts),
    ...runnerOperations(parts),
  ];
  const operations = [...described, ...documentationOperations(described, PREFIX, parts.version)];
  const app = fastify({
    logger: false,
    bodyLimit: MAX_BODY_BYTES,
    routerOptions: { maxParamLength: MAX_NAME_LENGTH },
    frameworkErrors: (error, _request, reply) => fail(reply, error, parts),
  });
  onlyJson(app);
  app.addHook('onRequest', async (request, reply) => {
    void reply.headers(SAFETY);
    if (request.is404) return answerUnrouted(request, reply, operations);
  });
  app.addHook('onResponse', async (request, reply) => {
    if (request.method === 'POST') logCommand(parts.log, request, reply);
  });
  app.setErrorHandler((error, _request, reply) => fail(reply, error, parts));
  for (const operation of operations) mount(app, operation, PREFIX);
  // Also without a version in the path: the one that people look up by hand.
  for (const operation of described) if (operation.id === 'listDecisions') mount(app, operation, '/api');
  await app.ready();
  return app;
}

/** Who has told Corral to do what. */
function logCommand(log: Logger, { raw, url }: FastifyRequest, { statusCode: status }: FastifyReply): void {
  log.info({ event: 'command.ended', path: url.replace(/\?.*$/s, ''), status, caller: callerOf(raw) });
}

function mount(app: FastifyInstance, operation: Operation, prefix: string): void {
  const { method, path, type } = operation;
  app.route({
    method,
    url: `${prefix}${path.replaceAll(/\{(\w+)\}/g, ':$1')}`,
    handler: async (request, reply) => {
      const { status, body } = await operation.handle({
        params: checked('path', operation.params, request.params),
        query: checked('query', operation.query, request.query),
        body: checked('body', operation.body, request.body === undefined ? {} : request.body),
        signal: goneSignal(reply),
      });
      return reply.code(status).type(`${type}; charset=utf-8`).send(body);
    },
  });
}

function checked(part: 'path' | 'query' | 'body', schema: z.ZodObject, value: unknown): object {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw invalid(part, result.error);
}

/** Bodies are JSON or nothing: a form that a foreign page could send is none. */
function onlyJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) =>
    body === '' ? done(null, undefined) : parse(request, String(body), done),
  );
}

function goneSignal(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.on('close', () => gone.abort());
  return gone.signal;
}

/** 404; for a path that is there with another method 405 with what it takes, and for OPTIONS just that. */
function answerUnrouted(
  { method, url }: FastifyRequest,
  reply: FastifyReply,
  operations: readonly Operation[],
): FastifyReply {
  const path = url.replace(/\?.*$/s, '');
  const methods = operations
    .filter((operation) => patternOf(operation).test(path))
    .flatMap((operation) => (operation.method === 'GET' ? ['GET', 'HEAD'] : [operation.method]));
  if (methods.length === 0)
    return sendProblem(reply, problem(404, 'route_not_found', `There is no ${method} ${path}.`));
  const allow = [...methods, 'OPTIONS'].join(', ');
  void reply.header('allow', allow);
  if (method === 'OPTIONS') return reply.code(204).send();
  return sendProblem(reply, problem(405, 'method_not_allowed', `This path takes ${allow}, not ${method}.`));
}

const patternOf = ({ path }: Operation): RegExp =>
  new RegExp(`^${PREFIX}${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`);

function fail(reply: FastifyReply, error: unknown, { log }: ManagementParts): FastifyReply {
  const known = problemOf(error);
  if (!known && !reply.raw.destroyed) log.error({ event: 'management.failed', err: error });
  return sendProblem(
    reply,
    known ?? problem(500, 'internal_error', 'Internal error; the log of the service has the details.'),
  );
}

function sendProblem(reply: FastifyReply, body: ProblemDetails): FastifyReply {
  if (body.retryAfterSeconds !== undefined)
    void reply.header('retry-after', Math.ceil(body.retryAfterSeconds));
  return reply.code(body.status).type('application/problem+json').send(body);
}
