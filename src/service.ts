import type { Logger } from 'pino';
import { createGuard } from './auth/guard.ts';
import type { Doors } from '../actors/doors.ts';
import type { RunnerLogs } from '../actors/process/runner-logs.ts';
import type { OuterEffects } from '../machines/effects.ts';
import type { RunnerState } from '../machines/runner/contract.ts';
import type { SchedulerCommand } from '../machines/scheduler/contract.ts';
import type { SavedDemand } from '../machines/planning/habits.ts';
import type { ModelSpec, RunnerId } from '../machines/vocabulary.ts';
import { Activity } from './activity/activity.ts';
import { Bodies } from './activity/bodies.ts';
import type { Catalogue } from './catalogue.ts';
import { realClock } from './clock.ts';
import { createScheduler } from './compose.ts';
import type { Config } from './config/schema.ts';
import { DecisionLog } from './decision-log.ts';
import { guardListeners } from './guard-listeners.ts';
import type { HttpLimits } from './http/limits.ts';
import { listenOn, type Addresses, type Listening } from './http/listening.ts';
import { builtPage, createPage } from './http/page.ts';
import type { BeginTrace } from './http/request-trace.ts';
import type { Health } from './http/router.ts';
import type { OnRequestEnd } from './http/request-log.ts';
import type { Handler } from './http/router.ts';
import { createHttpServer } from './http/server.ts';
import type { TlsPaths } from './http/tls-files.ts';
import { UpstreamPools } from './http/upstream-pools.ts';
import { sendBridgePage } from './inspect/bridge-page.ts';
import { startInspection } from './inspect/start-inspection.ts';
import { Leases, type LeasesOptions } from './leases.ts';
import { ModelNaming, withSeveral } from './model-naming.ts';
import { createManagement } from './management/management.ts';
import type { ReloadWishes } from './management/parts.ts';
import { createMetrics, sendMetrics } from './metrics/metrics.ts';
import { Recorder } from './recording/recording.ts';
import { toScenario } from './recording/to-scenario.ts';
import { Reloader, type ReloadParts } from './reload/reloader.ts';
import { statusOf, type ServiceStatus } from './status.ts';
import type { HistoryBounds } from './ws/history.ts';
import { serveWebSocket } from './ws/ws-api.ts';
import { ledgerOf, type Scheduler } from './ledger-of.ts';

export interface ServiceOptions {
  readonly addresses: Addresses;
  /** Speaks https with these; http when null. */
  readonly tls: TlsPaths | null;
  readonly config: Config;
  /** How the configuration is read again, and what else is done with it. */
  readonly reloading: Pick<ReloadParts, 'read' | 'resolve' | 'settingsOf' | 'onApplied'>;
  readonly preload: readonly ModelSpec[];
  /** What was learned of the models' demand at earlier runs. */
  readonly demand: Readonly<Record<string, SavedDemand>>;
  readonly catalogue: Catalogue;
  readonly effects: OuterEffects;
  readonly logs: RunnerLogs;
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
  /** The same for the port that clients of Ollama look for; null without one. */
  readonly ollamaUrl: string | null;
  readonly activity: Activity;
  readonly scheduler: Scheduler;
  readonly leases: Leases;
  /** Takes over a new configuration. */
  readonly reloader: Reloader;
  status(): ServiceStatus;
  /** Answers the queue with "shutting down", lets running requests finish for at most `drainMs`, ends all processes. */
  stop(drainMs: number): Promise<void>;
  /** Ends everything now. */
  hurry(): void;
}

/** What is kept of what was told, at most. */
const HISTORY_BYTES = 16 * 1024 ** 2;
/** How long the charts and the page may not know of a request that nobody had to decide about; the page is sent its news as often. */
const TELL_WITHIN_MS = 50;

/** The whole of Corral: machines, leases, HTTP. Resolves once it listens; rejects when it cannot. */
export async function startService(options: ServiceOptions): Promise<Service> {
  const { catalogue, log, version, reloading } = options;
  const { scheduler, doors, recorder } = listenedTo(options);
  const reloader = new Reloader(options.config, { ...reloading, scheduler, catalogue, log });
  const decisions = new DecisionLog();
  const pools = new UpstreamPools();
  const config = (): Config => reloader.config;
  const naming = new ModelNaming({ catalogue, config, stateOf: (model) => stateOf(scheduler, model) });
  const leases = new Leases(scheduler, doors, {
    resolve: (name) => catalogue.resolve(naming.oneOf(name)),
    waitLimitMs: () => config().limits.wait,
    onLine: (runnerId, listener) => options.logs.subscribe(runnerId, listener),
    onOverstay: warnOfOverstay(log),
  });
  listen(scheduler, options, decisions, pools);
  const status = statusSince(performance.now(), { scheduler, doors, version });
  const { activity, bodies } = activityOf(config);
  const parts = {
    activity,
    scheduler,
    doors,
    catalogue,
    status,
    decisions: () => decisions.latest(),
    history: () => webSocket.history(),
    recording: () => toScenario(recorder.recording),
    reload: (wishes: ReloadWishes) => reloader.reload('api', wishes),
    logs: options.logs,
    log,
    version,
  };
  const guard = createGuard(config);
  const management = await createManagement(parts);
  const metrics = createMetrics(parts);
  let listening: Listening | null = null;
  const server = createHttpServer({
    desk: leases,
    models: () => withSeveral(catalogue.list(ledgerOf(scheduler)), naming),
    choose: (asked) => naming.choose(asked),
    ofPath: (path) => naming.ofPath(path),
    control: parts,
    management: toldFirst(doors, management),
    page: createPage(builtPage),
    metrics: (_request, response) => sendMetrics(metrics, response),
    onRequestEnd: toldTo(metrics.onRequestEnd, activity.add),
    beginCapture: bodies.begin,
    beginTrace: options.beginTrace,
    health: () => healthOf(scheduler),
    ...(options.inspect !== false && { bridgePage: sendBridgePage }),
    pools,
    guard,
    isOllamas: ({ socket }) => listening !== null && socket.localPort === listening.ollamaPort,
    tls: options.tls,
    limits: options.limits,
    log,
    version,
  });
  const listens = (listening = await listenOn(server, options.addresses));
  const inspecting = startInspection(scheduler, options.inspect, log);
  const { endpoints } = inspecting;
  const webSocket = serveWebSocket(server, parts, { guard, endpoints, history: historyOf(config()) });
  scheduler.start();
  return {
    url: listens.url,
    ollamaUrl: listens.ollamaUrl,
    activity,
    scheduler,
    leases,
    reloader,
    status,
    stop: async (drainMs) => {
      // One that was drained on request is over already.
      if (scheduler.getSnapshot().status === 'active') scheduler.send({ type: 'scheduler.drain', drainMs });
      await ended(scheduler);
      inspecting.close();
      webSocket.close();
      await listens.close();
    },
    hurry: () => scheduler.send({ type: 'scheduler.hurry' }),
  };
}

const historyOf = ({ history: ms }: Config): HistoryBounds | null =>
  ms > 0 ? { ms, bytes: HISTORY_BYTES } : null;

function activityOf(config: () => Config): { readonly activity: Activity; readonly bodies: Bodies } {
  const bodies = new Bodies(() => config().activity.bodies);
  return { bodies, activity: new Activity({ keep: () => config().activity.keep, bodies }) };
}

/** Whoever asks is told of the moment at which it was asked. */
const toldFirst =
  (doors: Pick<Doors, 'tell'>, app: Awaited<ReturnType<typeof createManagement>>): Handler =>
  (request, response) => {
    doors.tell();
    app.routing(request, response);
  };

const toldTo =
  (...listeners: readonly OnRequestEnd[]): OnRequestEnd =>
  (...end) => {
    for (const listener of listeners) listener(...end);
  };

const warnOfOverstay =
  (log: Logger): LeasesOptions['onOverstay'] =>
  ({ id: leaseId, runnerId, model }, heldMs) =>
    log.warn(
      { event: 'lease.overstayed', leaseId, runnerId, model, heldMs: Math.round(heldMs) },
      'the runner still works for a client that has left; its slot counts as free from now on',
    );

/** What runs, as it is when it is asked for. */
const statusSince =
  (
    startedAtMs: number,
    {
      scheduler,
      doors,
      version,
    }: { readonly scheduler: Scheduler; readonly doors: Doors; readonly version: string },
  ): (() => ServiceStatus) =>
  () => {
    doors.tell();
    return statusOf(ledgerOf(scheduler), {
      version,
      state: scheduler.getSnapshot().value,
      uptimeMs: performance.now() - startedAtMs,
    });
  };

/** Of a model's youngest runner. */
const stateOf = (scheduler: Scheduler, model: string): RunnerState | undefined =>
  ledgerOf(scheduler).runnersOf(model).at(-1)?.state;

/** The scheduler, not started yet, and who takes down what it is asked. */
function listenedTo({ config, reloading, preload, demand, effects, log }: ServiceOptions): {
  readonly scheduler: Scheduler;
  readonly doors: Doors;
  readonly recorder: Recorder;
} {
  const settings = reloading.settingsOf(config);
  const onBroken = (error: unknown): void => log.error({ event: 'listener.broke', err: error });
  const { scheduler, doors } = createScheduler(effects, {
    clock: realClock,
    input: { settings, now: realClock.now, preload, demand },
    tellWithinMs: TELL_WITHIN_MS,
    onBroken,
  });
  guardListeners(scheduler, onBroken);
  const recorder = new Recorder(scheduler, doors, { settings, demand, preload });
  // Whoever asks the scheduler for anything does it through `send`; its own runners do not.
  const send = scheduler.send.bind(scheduler);
  scheduler.send = (event) => {
    recorder.heard(event as SchedulerCommand);
    send(event);
  };
  return { scheduler, doors, recorder };
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
      kind === 'failed' || kind === 'stuck' || kind === 'unrecovered' || kind === 'outgrown'
        ? 'warn'
        : kind === 'grant'
          ? 'debug'
          : 'info';
    log[level]({ event: `decision.${kind}`, model, runnerId, leaseId }, reason);
  });
  scheduler.on('runner.changed', ({ runnerId }) => {
    const runner = ledgerOf(scheduler).runners.get(runnerId);
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

const ended = (scheduler: Scheduler): Promise<void> =>
  new Promise((resolve) => {
    if (scheduler.getSnapshot().status !== 'active') return resolve();
    scheduler.subscribe({ complete: resolve, error: () => resolve() });
  });
