import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Logger } from 'pino';
import { createRealEffects } from '../actors/real.ts';
import { ProcessRegistry } from '../actors/process/process-registry.ts';
import { RunnerLogs } from '../actors/process/runner-logs.ts';
import type { HealthOptions } from '../actors/process/watch-health.ts';
import type { SchedulerSettings } from '../machines/scheduler/contract.ts';
import { requireKeys } from './auth/require-keys.ts';
import { Catalogue } from './catalogue.ts';
import { defaultDataFolder } from './config/find-config.ts';
import { findLlamaServer } from './config/find-llama-server.ts';
import { findModel, nearMisses } from './config/model-names.ts';
import { folderOf, resolveModels } from './config/resolve-models.ts';
import { pathOf } from './config/path-of.ts';
import type { Config } from './config/schema.ts';
import { StateFile } from './config/state-file.ts';
import { defaultHttpLimits, type HttpLimits } from './http/limits.ts';
import { tlsPathsOf } from './config/tls-paths-of.ts';
import { findCollector } from './tracing/find-collector.ts';
import type { Tracing } from './tracing/tracing.ts';
import { startService, type Service } from './service.ts';

export const VERSION = '0.1.0';

const MIB = 1024 ** 2;
/** After a crash no more than this much of what was learned of demand is lost. */
const KEEP_DEMAND_EVERY_MS = 600_000;

export interface ServeOptions {
  readonly config: Config;
  /** Absolute path of the configuration; null when there is none. */
  readonly configPath: string | null;
  readonly log: Logger;
  readonly env?: NodeJS.ProcessEnv;
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
  log,
  env = process.env,
  health,
}: ServeOptions): Promise<Served> {
  requireKeys(config, configPath ?? 'the configuration');
  const dataFolder = dataFolderOf(config, configPath, env);
  const registry = new ProcessRegistry(join(dataFolder, 'processes'));
  await endOrphans(registry, log);
  const killAll = (): void => registry.killAll();
  process.on('exit', killAll);

  const state = new StateFile(join(dataFolder, 'learned.json'), (note) =>
    log.warn({ event: 'state.damaged' }, note),
  );
  const llamaServer = findLlamaServer(config.llamaServer, env);
  const { entries, warnings } = await resolveModels({
    config,
    folder: folderOf(configPath),
    llamaServer,
    state,
  });
  for (const warning of warnings) log.warn({ event: 'folder.unreadable' }, warning);
  for (const { name, problem } of entries)
    if (problem) log.warn({ event: 'model.unusable', model: name }, problem.message);
  const catalogue = new Catalogue(
    entries,
    { find: findModel, nearMisses },
    ({ classKey, needBytes, loadMs }) => state.learn(classKey, { needBytes, loadMs }),
  );
  const logs = new RunnerLogs();
  const onNote = (note: string): void => log.warn({ event: 'probe' }, note);
  const effects = createRealEffects({
    logs,
    registry,
    llamaServer,
    onNote,
    env,
    embedded: embeddedCommand(),
    ...(health && { health }),
  });
  const tracing = await traceIfWanted(config, env, log);
  const service = await startService({
    host: config.listen.host,
    port: config.listen.port,
    tls: tlsPathsOf(config, configPath),
    access: () => config,
    settings: settingsOf(config),
    preload: entries.flatMap(({ name, spec }) =>
      spec && (spec.pinned || config.models[name]?.preload) ? [spec] : [],
    ),
    demand: state.demand,
    catalogue,
    effects,
    logs,
    waitLimitMs: config.limits.wait,
    limits: httpLimitsOf(config),
    inspect: config.inspect,
    log,
    beginTrace: tracing?.begin,
    version: VERSION,
    killRunner: (runnerId) => registry.kill(runnerId),
  });
  const keepDemand = (): void =>
    state.learnDemand(service.scheduler.getSnapshot().context.ledger.savedDemand());
  const timer = setInterval(keepDemand, KEEP_DEMAND_EVERY_MS).unref();
  const stop = async (drainMs: number): Promise<void> => {
    clearInterval(timer);
    await service.stop(drainMs);
    await tracing?.stop();
    keepDemand();
    process.off('exit', killAll);
    killAll();
  };
  return { ...service, stop, catalogue, logs, llamaServer };
}

async function endOrphans(registry: ProcessRegistry, log: Logger): Promise<void> {
  for (const { pid, runnerId } of await registry.sweep())
    log.warn(
      { event: 'orphan.ended', pid, runnerId },
      'ended a runner that an earlier Corral had left behind',
    );
}

/** The SDK takes time and memory to load: only where there is a collector. */
async function traceIfWanted(config: Config, env: NodeJS.ProcessEnv, log: Logger): Promise<Tracing | null> {
  const collector = findCollector(config, env);
  if (collector === null) return null;
  const { startTracing } = await import('./tracing/tracing.ts');
  return startTracing({ ...collector, version: VERSION, log });
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

const httpLimitsOf = ({ limits }: Config): HttpLimits => ({
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
    // Ollama reserves at least this much per GPU (457 MiB); CUDA contexts take 300–500 MiB.
    gpuOverheadBytes: 457 * MIB,
  },
  runner: {
    loadStallMs: config.limits.loadStall,
    loadTotalMs: config.limits.load,
    terminateGraceMs: 5_000,
    killAlarmMs: 10_000,
    probeDeadlineMs: 3_000,
    recoveryPollMs: 250,
    recoveryLimitMs: 5_000,
  },
  keepAliveMode: config.policy.keepAlive,
  maxQueue: config.limits.queue,
  probeIntervalMs: 5_000,
  deviceLimits: Object.fromEntries(Object.entries(config.devices).map(([id, { memory }]) => [id, memory])),
});
