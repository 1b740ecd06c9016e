import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { pino } from 'pino';
import { RunnerLogs } from '../../../actors/process/runner-logs.ts';
import type { ModelSpec } from '../../../machines/vocabulary.ts';
import { Activity } from '../../../src/activity/activity.ts';
import { Bodies } from '../../../src/activity/bodies.ts';
import { Catalogue } from '../../../src/catalogue.ts';
import { findModel, nearMisses } from '../../../src/config/model-names.ts';
import { statusOf, type ServiceStatus } from '../../../src/status.ts';
import { serveWebSocket, type WsApi, type WsOptions } from '../../../src/ws/ws-api.ts';
import { aGpu, aModel, Pool } from '../../support/pool.ts';

export interface PoolServer {
  readonly pool: Pool;
  readonly logs: RunnerLogs;
  readonly specs: readonly ModelSpec[];
  readonly api: WsApi;
  readonly url: string;
  readonly port: number;
  readonly server: Server;
  /** The server's side of each connection, open or not. */
  readonly sockets: readonly Socket[];
  /** How often the devices were asked for. */
  readonly statusReads: () => number;
  status(): ServiceStatus;
  close(): Promise<void>;
}

export interface Modelled {
  readonly devices: ReturnType<typeof aGpu>[];
  readonly specs: readonly ModelSpec[];
}

/** The WebSocket API on real connections, before the real statecharts on a modelled world: time is the test's. */
export async function startPoolServer(
  options: WsOptions = {},
  answer: RequestListener = (_, response) => response.writeHead(404).end(),
  wantedPort = 0,
  { devices, specs }: Modelled = {
    devices: [aGpu('CUDA0', 24)],
    specs: [aModel('a', 8), aModel('b', 8), aModel('c', 20)],
  },
): Promise<PoolServer> {
  const pool = new Pool({ devices });
  // Until the devices are known.
  pool.advance(1_000);
  const entries = specs.map((spec) => ({
    name: spec.name,
    aliases: [`${spec.name}-alias`],
    createdAtSeconds: 0,
    spec,
    problem: null,
  }));
  const logs = new RunnerLogs();
  const server = createServer(answer);
  const sockets: Socket[] = [];
  server.on('connection', (socket) => sockets.push(socket));
  const status = (): ServiceStatus =>
    statusOf(pool.ledger, { version: '1.2.3', state: 'running', uptimeMs: 0 });
  let reads = 0;
  const activity = new Activity({ keep: () => 100, bodies: new Bodies(() => 0) });
  const parts = {
    activity,
    scheduler: pool.scheduler,
    catalogue: new Catalogue(entries, { find: findModel, nearMisses }),
    status: () => (reads++, status()),
    decisions: () => pool.decisions,
    history: () => [],
    logs,
    log: pino({ level: 'silent' }),
    version: '1.2.3',
    reload: () => Promise.reject(new Error('Nobody asks for it here.')),
    recording: () => {
      throw new Error('Nobody asks for it here.');
    },
  };
  const { clock } = pool.world;
  const api = serveWebSocket(server, parts, { clock, now: clock.now, ...options });
  await new Promise<void>((resolve) => server.listen(wantedPort, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    pool,
    logs,
    specs,
    api,
    url: `http://127.0.0.1:${port}`,
    port,
    server,
    sockets,
    statusReads: () => reads,
    status,
    close: async () => {
      api.close();
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
