import type { Server } from 'node:http';
import { Server as SecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { createActor } from 'xstate';
import { createGuard, type AccessConfig } from './auth/guard.ts';
import type { RunnerLogs } from '../actors/process/runner-logs.ts';
import type { Effects } from '../machines/effects.ts';
import type { SchedulerCommand, SchedulerSettings } from '../machines/scheduler/contract.ts';
import type { SavedDemand } from '../machines/planning/demand.ts';
import type { ModelSpec, RunnerId } from '../machines/vocabulary.ts';
import type { Catalogue } from './catalogue.ts';
import { realClock } from './clock.ts';
import { compose } from './compose.ts';
import { DecisionLog } from './decision-log.ts';
import type { HttpLimits } from './http/limits.ts';
import { builtPage, createPage } from './http/page.ts';
import type { BeginTrace } from './http/request-trace.ts';
import type { Health } from './http/router.ts';
import { createHttpServer } from './http/server.ts';
import type { TlsPaths } from './http/tls-files.ts';
import { UpstreamPools } from './http/upstream-pools.ts';
import { sendBridgePage } from './inspect/bridge-page.ts';
import { startInspection } from './inspect/start-inspection.ts';
import { Leases, type Scheduler } from './leases.ts';
import { createManagement } from './management/management.ts';
import { createMetrics, sendMetrics } from './metrics/metrics.ts';
import { Recorder } from './recording/recording.ts';
import { toScenario } from './recording/to-scenario.ts';
import { statusOf, type ServiceStatus } from './status.ts';
import { urlOf } from './url-of.ts';
import { serveWebSocket } from './ws/ws-api.ts';

export interface ServiceOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** Speaks https with these; http when null. */
  readonly tls: TlsPaths | null;
  /** Who may call; asked for each time. */
  readonly access: () => AccessConfig;
  readonly settings: SchedulerSettings;
  readonly preload: readonly ModelSpec[];
  /** What was learned of the models' demand at earlier runs. */
  readonly demand: Readonly<Record<string, SavedDemand>>;
  readonly catalogue: Catalogue;
  readonly effects: Effects;
  readonly logs: RunnerLogs;
  /** Longest wait for a runner, in ms. */
  readonly waitLimitMs: number;
  readonly limits: HttpLimits;
  /** Lets inspectors of statecharts attach; an address (`ws://…`) is that of a relay that is pushed to as well. */
  readonly inspect: boolean | string;
  readonly log: Logger;
  /** Where requests are traced. */
  readonly beginTrace?: BeginTrace | undefined;
  readonly version: string;
  /** Ends a runner's process by force, when its own statechart cannot any more. */
  readonly killRunner: (runnerId: RunnerId) => void;
}

export interface Service {
  /** `http://host:port`, or `https://…`, as it really listens. */
  readonly url: string;
  readonly scheduler: Scheduler;
  readonly leases: Leases;
  status(): ServiceStatus;
  /** Answers the queue with "shutting down", lets running requests finish for at most `drainMs`, ends all processes. */
  stop(drainMs: number): Promise<void>;
  /** Ends everything now. */
  hurry(): void;
}

/** The whole of Corral: machines, leases, HTTP. Resolves once it listens; rejects when it cannot. */
export async function startService(options: ServiceOptions): Promise<Service> {
  const { catalogue, log, version } = options;
  const startedAtMs = performance.now();
  const scheduler = createActor(compose(options.effects), {
    clock: realClock as never,
    input: {
      settings: options.settings,
      now: () => performance.now(),
      preload: options.preload,
      demand: options.demand,
    },
  });
  const recorder = record(scheduler, options);
  const decisions = new DecisionLog();
  const pools = new UpstreamPools();
  const leases = new Leases(scheduler, {
    resolve: (name) => catalogue.resolve(name),
    waitLimitMs: options.waitLimitMs,
  });
  listen(scheduler, options, decisions, pools);
  const ledger = () => scheduler.getSnapshot().context.ledger;
  const status = (): ServiceStatus =>
    statusOf(ledger(), {
      version,
      state: scheduler.getSnapshot().value,
      uptimeMs: performance.now() - startedAtMs,
    });
  const parts = {
    scheduler,
    catalogue,
    status,
    decisions: () => decisions.latest(),
    recording: () => toScenario(recorder.recording),
    logs: options.logs,
    log,
    version,
  };
  const guard = createGuard(options.access);
  const management = await createManagement(parts);
  const metrics = createMetrics(parts);
  const server = createHttpServer({
    desk: leases,
    models: () => catalogue.list(ledger()),
    management: (request, response) => management.routing(request, response),
    page: createPage(builtPage),
    metrics: (_request, response) => sendMetrics(metrics, response),
    onRequestEnd: metrics.onRequestEnd,
    beginTrace: options.beginTrace,
    health: () => healthOf(scheduler),
    ...(options.inspect !== false && { bridgePage: sendBridgePage }),
    pools,
    guard,
    tls: options.tls,
    limits: options.limits,
    log,
    version,
  });
  const url = await listenOn(server, options);
  const inspecting = startInspection(scheduler, options.inspect, log);
  const webSocket = serveWebSocket(server, parts, { guard, endpoints: inspecting.endpoints });
  scheduler.start();
  return {
    url,
    scheduler,
    leases,
    status,
    stop: async (drainMs) => {
      // One that was drained on request is over already.
      if (scheduler.getSnapshot().status === 'active') scheduler.send({ type: 'scheduler.drain', drainMs });
      await ended(scheduler);
      inspecting.close();
      webSocket.close();
      await closed(server);
    },
    hurry: () => scheduler.send({ type: 'scheduler.hurry' }),
  };
}

/** Whoever asks the scheduler for anything does it through `send`; its own runners do not. */
function record(scheduler: Scheduler, { settings, demand, preload }: ServiceOptions): Recorder {
  const recorder = new Recorder(scheduler, { settings, demand, preload });
  const send = scheduler.send.bind(scheduler);
  scheduler.send = (event) => {
    recorder.heard(event as SchedulerCommand);
    send(event);
  };
  return recorder;
}

function healthOf(scheduler: Scheduler): Health {
  const snapshot = scheduler.getSnapshot();
  if (snapshot.matches('starting')) return 'starting';
  return snapshot.matches('running') ? 'ok' : 'draining';
}

function listen(
  scheduler: Scheduler,
  options: ServiceOptions,
  decisions: DecisionLog,
  pools: UpstreamPools,
): void {
  const { log, catalogue } = options;
  scheduler.on('decision', ({ record }) => {
    decisions.add(record);
    const { kind, model, runnerId, leaseId, reason } = record;
    const level =
      kind === 'failed' || kind === 'stuck' || kind === 'unrecovered'
        ? 'warn'
        : kind === 'grant'
          ? 'debug'
          : 'info';
    log[level]({ event: `decision.${kind}`, model, runnerId, leaseId }, reason);
  });
  scheduler.on('runner.changed', ({ runnerId }) => {
    const runner = scheduler.getSnapshot().context.ledger.runners.get(runnerId);
    if (runner === undefined || runner.state === 'gone' || runner.state === 'failed') pools.drop(runnerId);
    if (runner)
      log.debug({ event: `runner.${runner.state}`, runnerId, model: runner.spec.name }, runner.reason);
  });
  scheduler.on('model.learned', (learned) => catalogue.learn(learned));
  scheduler.on('runner.broke', ({ runnerId }) => {
    log.error({ event: 'runner.broke', runnerId });
    options.killRunner(runnerId);
  });
}

function listenOn(server: Server, { host, port }: ServiceOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      const { port: bound } = server.address() as AddressInfo;
      resolve(urlOf(server instanceof SecureServer ? 'https' : 'http', host, bound));
    });
  });
}

const ended = (scheduler: Scheduler): Promise<void> =>
  new Promise((resolve) => {
    if (scheduler.getSnapshot().status !== 'active') return resolve();
    scheduler.subscribe({ complete: resolve, error: () => resolve() });
  });

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
    // Nobody has a lease any more: what is still open is a keep-alive connection, or a reply being read slowly.
    setTimeout(() => server.closeAllConnections(), 1_000).unref();
  });
}
