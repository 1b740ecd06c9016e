import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { RunnerLogs } from '../../../actors/process/runner-logs.ts';
import type { ModelSpec } from '../../../machines/vocabulary.ts';
import { Activity } from '../../../src/activity/activity.ts';
import { Bodies } from '../../../src/activity/bodies.ts';
import { Catalogue, type CatalogueEntry } from '../../../src/catalogue.ts';
import { findModel, nearMisses } from '../../../src/config/model-names.ts';
import { createManagement, type ManagementParts } from '../../../src/management/management.ts';
import { statusOf } from '../../../src/status.ts';
import { aGpu, Pool } from '../../support/pool.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  // oxlint-disable-next-line typescript/no-explicit-any -- answers are compared, not worked with
  readonly body: any;
}

/** The management API on the real statecharts, with modelled devices and processes in virtual time. */
export class Managed {
  readonly pool = new Pool({ devices: [aGpu('CUDA0', 24)] });
  readonly logs = new RunnerLogs();
  readonly catalogue: Catalogue;
  app!: FastifyInstance;
  /** What a reload says; a test may have it say something else. */
  reload: ManagementParts['reload'] = ({ dryRun = false }) =>
    Promise.resolve({ applied: !dryRun, models: [], settings: [], warnings: [], needed: [], text: [] });

  readonly bodies = new Bodies(() => 1024);
  readonly activity = new Activity({ keep: () => 100, bodies: this.bodies });

  private constructor(entries: readonly CatalogueEntry[]) {
    this.catalogue = new Catalogue(entries, { find: findModel, nearMisses });
  }

  static async of(specs: readonly ModelSpec[], broken: readonly CatalogueEntry[] = []): Promise<Managed> {
    const managed = new Managed([...specs.map(entryOf), ...broken]);
    const { pool, catalogue, logs } = managed;
    managed.app = await createManagement({
      activity: managed.activity,
      scheduler: pool.scheduler,
      catalogue,
      status: () =>
        statusOf(pool.ledger, {
          version: '1.2.3',
          state: pool.scheduler.getSnapshot().value,
          uptimeMs: pool.world.clock.now(),
        }),
      decisions: () => pool.decisions,
      history: () => [],
      recording: () => ({ models: {}, timeline: [] }),
      reload: (wishes) => managed.reload(wishes),
      logs,
      log: pino({ level: 'silent' }),
      version: '1.2.3',
    });
    // The devices are read: from now on there is a plan.
    pool.advance(1_000);
    return managed;
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.send('GET', path, undefined, headers);
  }

  post(path: string, body?: object | string, headers: Record<string, string> = {}): Promise<Answer> {
    const type = body === undefined ? {} : { 'content-type': 'application/json' };
    return this.send('POST', path, body, { ...type, ...headers });
  }

  async send(
    method: string,
    path: string,
    body?: object | string,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const url = path.startsWith('/api/') ? path : `/api/v1${path}`;
    const answer = await this.app.inject({
      method: method as 'GET',
      url,
      headers,
      ...(body !== undefined && { payload: body }),
    });
    const isJson = answer.payload !== '' && String(answer.headers['content-type']).includes('json');
    return {
      status: answer.statusCode,
      headers: answer.headers,
      body: isJson ? answer.json() : answer.payload,
    };
  }
}

const entryOf = (spec: ModelSpec): CatalogueEntry => ({
  name: spec.name,
  aliases: [`${spec.name}-alias`],
  createdAtSeconds: 0,
  spec,
  problem: null,
});

export const aBrokenModel = (name: string): CatalogueEntry => ({
  name,
  aliases: [],
  createdAtSeconds: 0,
  spec: null,
  problem: { code: 'model_file_missing', message: `/models/${name}.gguf cannot be opened.` },
});
