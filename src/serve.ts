import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Logger } from 'pino';
import { waitFor } from 'xstate';
import { ConversationFolder } from '../actors/conversations/conversation-folder.ts';
import { createRealEffects } from '../actors/real.ts';
import { RunnerLogs } from '../actors/process/runner-logs.ts';
import { SocketFolder } from '../actors/process/socket-folder.ts';
import type { HealthOptions } from '../actors/process/watch-health.ts';
import type { SchedulerSettings } from '../machines/scheduler/contract.ts';
import { formatBytes } from '../machines/vocabulary.ts';
import { writeActivity } from './activity/activity-file.ts';
import { requireKeys } from './auth/require-keys.ts';
import { Catalogue } from './catalogue.ts';
import { defaultDataFolder } from './config/find-config.ts';
import { findLlamaServer } from './config/find-llama-server.ts';
import { findModel, nearMisses } from './config/model-names.ts';
import { loadConfig } from './config/load-config.ts';
import { folderOf, resolveModels, type Resolved, type ResolveParts } from './config/resolve-models.ts';
import { pathOf } from './config/path-of.ts';
import type { Config } from './config/schema.ts';
import { tlsPathsOf } from './config/tls-paths-of.ts';
import { defaultHttpLimits, type HttpLimits } from './http/limits.ts';
import { ProblemError } from './management/problem.ts';
import { findCollector } from './tracing/find-collector.ts';
import type { Tracing } from './tracing/tracing.ts';
import { startFitting } from './fit/fitting.ts';
import { followConfiguration, lookAtModels } from './reload/follow-configuration.ts';
import { conversationRootOf } from './conversation-root.ts';
import { openState } from './open-state.ts';
import { RunnerLogFiles } from './runner-log-files.ts';
import { runnerLogFolder } from './runner-log-name.ts';
import { startService, type Service } from './service.ts';
import { unknownDevices } from './unknown-devices.ts';
import { ledgerOf } from './ledger-of.ts';

export const VERSION = '0.1.0';

const MIB = 1024 ** 2;
/** After a crash no more than this much of what was learned of demand is lost. */
const KEEP_DEMAND_EVERY_MS = 600_000;
/** A disk that takes nothing does not keep Corral from ending. */
const LAST_WRITE_WITHIN_MS = 2_000;

export interface ServeOptions {
  readonly config: Config;
  /** Absolute path of the configuration; null when there is none. */
  readonly configPath: string | null;
  /** The files and folders that it was read from, as they were named; `configPath` alone without it. */
  readonly configNames?: readonly string[] | undefined;
  readonly log: Logger;
  readonly env?: NodeJS.ProcessEnv;
  /** Reads the configuration again; the file at `configPath` without it. Throws a `ConfigError`. */
  readonly read?: () => Config;
  /** For tests that cannot wait. */
  readonly health?: HealthOptions;
}

export interface Served extends Service {
  readonly catalogue: Catalogue;
  readonly logs: RunnerLogs;
  readonly llamaServer: string | null;
}

/** Where this process keeps what it learns, and the records of its processes. */
export const dataFolderOf = (config: Config, configPath: string | null, env: NodeJS.ProcessEnv): string =>
  config.dataFolder === undefined ? defaultDataFolder(env) : pathOf(folderOf(configPath), config.dataFolder);

/** Corral on this machine: what was left behind is ended, models are read, the service is started. */
export async function serve({
  config,
  configPath,
  configNames,
  log,
  env = process.env,
  read = () => readAgain(configPath, env),
  health,
}: ServeOptions): Promise<Served> {
  const kept = await openState(dataFolderOf(config, configPath, env), log);
  const { registry, learned: state } = kept;
  const sockets = new SocketFolder((note) => log.warn({ event: 'runner.sockets' }, note));
  const killAll = (): void => {
    registry.killAll();
    sockets.remove();
  };
  process.on('exit', killAll);

  const llamaServer = findLlamaServer(config.llamaServer, env);
  const fitting = startFitting({ llamaServer, dataFolder: kept.folder, env, trouble: kept.trouble, log });
  const places = { folder: folderOf(configPath), llamaServer, state };
  const resolve = resolver({ ...places, ...(fitting && { fit: fitting.source }) }, configPath, log);
  const firstLook = config.watch ? await lookAtModels(config, configPath) : '';
  const { entries } = await resolve(config);
  const catalogue = new Catalogue(
    entries,
    { find: findModel, nearMisses },
    ({ classKey, needBytes, hostBytes, loadMs }) =>
      state.learn(classKey, { needBytes, loadMs, ...(hostBytes !== undefined && { hostBytes }) }),
  );
  const logs = new RunnerLogs((error) => log.error({ event: 'listener.broke', err: error }));
  const conversations = openConversations(config, configPath, env);
  const parts = { logs, registry, sockets, conversations, llamaServer, env, ...(health && { health }) };
  const effects = effectsFor(config, log, parts);
  const tracing = await traceIfWanted(config, env, log);
  const limits = httpLimitsOf(config);
  const refine = (): void => fitting?.refine(catalogue);
  const service = await startService({
    addresses: { ...config.listen, ollamaPort: config.listen.ollamaPort ?? null },
    tls: tlsPathsOf(config, configPath),
    config,
    reloading: { read, resolve, settingsOf, onApplied: applier(log, limits, config, refine) },
    preload: entries.flatMap(({ name, spec }) =>
      spec && (spec.pinned || config.models[name]?.preload) ? [spec] : [],
    ),
    demand: state.demand,
    catalogue,
    effects,
    logs,
    limits,
    inspect: config.inspect,
    log,
    beginTrace: tracing?.begin,
    version: VERSION,
    killRunner: (runnerId) => registry.kill(runnerId),
  });
  void warnOfDevices(service, config, log);
  refine();
  const logFiles = new RunnerLogFiles(runnerLogFolder(kept.folder), config.runnerLogs, kept.trouble);
  logFiles.follow(service.scheduler, logs);
  const endActivity = config.activity.write ? writeActivity(service.activity, kept) : null;
  const keepDemand = (): void => state.learnDemand(ledgerOf(service.scheduler).savedDemand());
  const timer = setInterval(keepDemand, KEEP_DEMAND_EVERY_MS).unref();
  const unfollow = config.watch ? followIfFile({ configPath, configNames }, service, firstLook) : () => {};
  const stop = async (drainMs: number): Promise<void> => {
    clearInterval(timer);
    unfollow();
    await service.stop(drainMs);
    await Promise.all([logFiles.close(), endActivity?.()]);
    await tracing?.stop();
    keepDemand();
    await Promise.all([
      state.flush(LAST_WRITE_WITHIN_MS),
      registry.flush(LAST_WRITE_WITHIN_MS),
      fitting?.end(LAST_WRITE_WITHIN_MS),
    ]);
    process.off('exit', killAll);
    killAll();
  };
  return { ...service, stop, catalogue, logs, llamaServer };
}

/** Without a file there is nothing to follow. */
const followIfFile = (
  { configPath, configNames }: Pick<ServeOptions, 'configPath' | 'configNames'>,
  { reloader }: Service,
  firstLook: string,
): (() => void) =>
  configPath === null
    ? () => {}
    : followConfiguration(configNames ?? [configPath], configPath, reloader, firstLook);

/** Where conversations are kept; what is too old, or too much, is removed meanwhile. */
function openConversations(
  config: Config,
  configPath: string | null,
  env: NodeJS.ProcessEnv,
): ConversationFolder {
  const { size: mostBytes, age: mostAgeMs } = config.conversations;
  const folder = new ConversationFolder(conversationRootOf(config, configPath, env), {
    mostBytes,
    mostAgeMs,
  });
  void folder.tidy().catch(() => {}); // a disk that fails is told of when something is to be kept
  return folder;
}

type RealParts = Parameters<typeof createRealEffects>[0];

const effectsFor = (
  config: Config,
  log: Logger,
  parts: Pick<
    RealParts,
    'logs' | 'registry' | 'sockets' | 'conversations' | 'llamaServer' | 'env' | 'health'
  >,
): ReturnType<typeof createRealEffects> =>
  createRealEffects({
    ...parts,
    onNote: (note) => log.warn({ event: 'probe' }, note),
    onConversation: ({ what, reason, ...note }) =>
      log.info(
        { event: 'conversation', what, ...note },
        `${note.model}: a conversation of ${note.tokens} tokens (${formatBytes(note.bytes)}) was ${what}${reason === undefined ? '' : `: ${reason}`}`,
      ),
    embedded: embeddedCommand(),
    sharesMainMemory: definedOf(config, 'sharesMainMemory'),
    limits: definedOf(config, 'memory'),
  });

/** Reads the models of a configuration, and tells what is wrong with them. Throws a `ConfigError` where keys are needed. */
function resolver(
  parts: Omit<ResolveParts, 'config'>,
  configPath: string | null,
  log: Logger,
): (config: Config) => Promise<Resolved> {
  let known: ReadonlyMap<string, string> = new Map();
  return async (config) => {
    requireKeys(config, configPath ?? 'the configuration');
    const resolved = await resolveModels({ config, ...parts, known });
    known = namesByPath(resolved);
    for (const warning of resolved.warnings) log.warn({ event: 'models.warning' }, warning);
    for (const { name, problem } of resolved.entries)
      if (problem) log.warn({ event: 'model.unusable', model: name }, problem.message);
    return resolved;
  };
}

/** By the path of its file, what each model is called. */
const namesByPath = ({ entries }: Resolved): ReadonlyMap<string, string> =>
  new Map(entries.flatMap(({ name, spec }) => (spec ? [[spec.launch.modelPath, name]] : [])));

/** Once the devices are known. */
async function warnOfDevices({ scheduler }: Service, config: Config, log: Logger): Promise<void> {
  const isKnown = (snapshot: ReturnType<Service['scheduler']['getSnapshot']>): boolean =>
    !snapshot.matches('starting');
  // Stopped before that: nobody wants to know any more.
  const snapshot = await waitFor(scheduler, isKnown).catch(() => null);
  const known = [...(snapshot?.context.tables.devices.values() ?? [])];
  if (snapshot?.matches('running'))
    for (const note of unknownDevices(config, known)) log.warn({ event: 'device.unknown' }, note);
}

/** The SDK takes time and memory to load: only where there is a collector. */
async function traceIfWanted(config: Config, env: NodeJS.ProcessEnv, log: Logger): Promise<Tracing | null> {
  const collector = findCollector(config, env);
  if (collector === null) return null;
  const { startTracing } = await import('./tracing/tracing.ts');
  return startTracing({ ...collector, version: VERSION, log });
}

function readAgain(configPath: string | null, env: NodeJS.ProcessEnv): Config {
  if (configPath !== null) return loadConfig(configPath, env).config;
  throw new ProblemError(
    409,
    'no_configuration',
    'Corral was started without a file that could be read again.',
  );
}

/** What follows the configuration besides models and scheduling: how large a body may be, and how much is logged. */
function applier(
  log: Logger,
  limits: { maxBodyBytes: number },
  first: Config,
  onModels: () => void,
): (config: Config) => void {
  let { logLevel } = first;
  return (config) => {
    limits.maxBodyBytes = config.limits.body;
    // Whoever made the log may have chosen another level than the configuration's.
    if (config.logLevel !== logLevel) log.level = logLevel = config.logLevel;
    onModels();
  };
}

/** This very program's embedded runner: built JavaScript, or TypeScript when run from source. */
function embeddedCommand(): { file: string; args: readonly string[] } {
  const here = fileURLToPath(import.meta.url);
  const isSource = here.endsWith('.ts');
  const main = join(here, '..', '..', 'embedded', isSource ? 'main.ts' : 'main.js');
  return { file: process.execPath, args: isSource ? ['--import', tsxLoader(), main] : [main] };
}

/** Only where Corral runs from source is there a tsx to run TypeScript with. */
const tsxLoader = (): string => pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

const httpLimitsOf = ({ limits }: Config): HttpLimits & { maxBodyBytes: number } => ({
  ...defaultHttpLimits,
  maxBodyBytes: limits.body,
  maxHeldBytes: limits.heldBodies,
  maxHeaderBytes: limits.headers,
  maxConnections: limits.connections,
});

export const settingsOf = (config: Config): SchedulerSettings => ({
  plan: {
    policy: config.policy.name,
    gamma: config.policy.gamma,
    starvationMs: config.policy.starvation,
    drainMs: config.limits.drain,
    maxRunners: config.limits.runners ?? null,
    abandonedLoads: config.policy.abandonedLoads,
    eviction: config.policy.eviction,
    // Ollama reserves at least this much per GPU (457 MiB); CUDA contexts take 300–500 MiB.
    gpuOverheadBytes: 457 * MIB,
  },
  runner: {
    loadStallMs: config.limits.loadStall,
    loadTotalMs: config.limits.load,
    terminateGraceMs: config.limits.terminate,
    killAlarmMs: 10_000,
    conversationsMs: 5_000,
    probeDeadlineMs: 3_000,
    recoveryPollMs: 250,
    recoveryLimitMs: 5_000,
  },
  keepAliveMode: config.policy.keepAlive,
  maxQueue: config.limits.queue,
  probeIntervalMs: 5_000,
  readsAhead: config.policy.readAhead,
  deviceLimits: definedOf(config, 'memory'),
});

/** By device: one of its settings, where it is set. */
function definedOf<Key extends keyof Config['devices'][string]>(
  { devices }: Config,
  key: Key,
): Record<string, NonNullable<Config['devices'][string][Key]>> {
  return Object.fromEntries(
    Object.entries(devices).flatMap(([id, device]) => {
      const value = device[key];
      return value === undefined ? [] : [[id, value]];
    }),
  );
}
