import type { IncomingMessage, ServerResponse } from 'node:http';
import fastify from 'fastify';
import type { DecisionRecord } from '../machines/scheduler/contract.ts';
import type { ServiceStatus } from './status.ts';

export interface ManagementParts {
  readonly status: () => ServiceStatus;
  /** The decision log, oldest first. */
  readonly decisions: () => readonly DecisionRecord[];
}

/**
 * The routes under `/api/v1`. Fastify answers them, behind the server that owns the port: it stays off the path of
 * inference requests, where it would cost a quarter of the throughput.
 */
export async function createManagement(
  parts: ManagementParts,
): Promise<(request: IncomingMessage, response: ServerResponse) => void> {
  const app = fastify({ logger: false });
  app.get('/api/v1/status', () => parts.status());
  app.get('/api/v1/decisions', () => ({ decisions: parts.decisions() }));
  app.setNotFoundHandler((request, reply) =>
    reply
      .code(404)
      .type('application/problem+json')
      .send({
        type: 'about:blank',
        title: 'Not Found',
        status: 404,
        detail: `No route ${request.method} ${request.url}.`,
      }),
  );
  await app.ready();
  return (request, response) => app.routing(request, response);
}
