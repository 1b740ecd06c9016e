import type { ProcessSpec } from '../../machines/effects.ts';
import { batchTokensFor } from '../../machines/planning/batch.ts';
import { readArguments, type ServerOptions } from '../../machines/planning/server-options.ts';
import { sumBytes, type LaunchOptions, type Reservation } from '../../machines/vocabulary.ts';

/** llama.cpp's "all layers": any number above the model's own. */
const ALL_LAYERS = 999;
/** llama.cpp's default `--batch-size`. */
const USUAL_BATCH = 2_048;

/** Where a runner is to be found besides its port, and where it may write. */
export interface RunnerPlaces {
  readonly socketPath?: string | null;
  /** For what it has computed of conversations. */
  readonly slotFolder?: string | null;
}

/**
 * The command line of one runner: where it listens, what it loads, and just the devices that were reserved for it. The
 * model's own extra arguments come last, and what they say Corral does not say beside them. The key is not among them:
 * arguments can be read by anybody who can list processes.
 */
export function serverArguments(
  { launch, modelName, reservation, hostBytes = 0 }: ProcessSpec,
  port: number,
  { socketPath = null, slotFolder = null }: RunnerPlaces = {},
): string[] {
  const { contextTokens, slots } = launch;
  return [
    '--model',
    launch.modelPath,
    '--alias',
    modelName,
    '--host',
    // Who makes no socket of it, a wrapper perhaps, has the port.
    socketPath ?? '127.0.0.1',
    '--port',
    String(port),
    // llama-server's -c is the total; an explicit -np shares it out evenly.
    '-c',
    String(contextTokens * slots),
    '-np',
    String(slots),
    ...(launch.embedding ? [launch.reranking ? '--reranking' : '--embedding'] : []),
    ...(launch.runtime === 'llama-server' ? llamaServerOnly(launch, reservation, hostBytes) : []),
    ...(launch.projectorPath ? ['--mmproj', launch.projectorPath] : []),
    ...launch.adapterPaths.flatMap((path) => ['--lora', path]),
    ...(slotFolder === null ? [] : ['--slot-save-path', slotFolder]),
    ...launch.extraArgs,
  ];
}

function llamaServerOnly(launch: LaunchOptions, reservation: Reservation, hostBytes: number): string[] {
  const { options } = readArguments(launch.extraArgs);
  const { microBatchTokens = batchTokensFor(launch) } = options;
  const batchTokens = Math.max(USUAL_BATCH, microBatchTokens);
  return [
    ...(options.microBatchTokens === undefined ? ['--ubatch-size', String(microBatchTokens)] : []),
    ...(options.batchTokens === undefined ? ['--batch-size', String(batchTokens)] : []),
    '--offline',
    '--slots',
    '--metrics',
    '--log-colors',
    'off',
    // Corral plans the memory; the server must not change context or layers behind its back.
    '--fit',
    'off',
    ...(launch.promptCacheMiB === undefined ? [] : ['--cache-ram', String(launch.promptCacheMiB)]),
    ...(launch.readsFile && !options.saysLoadMode ? ['--no-mmap'] : []),
    ...(launch.expertsOnCpu && !saysExperts(options) ? ['--cpu-moe'] : []),
    ...deviceArguments(withoutHost(reservation, hostBytes), launch, options),
  ];
}

const saysExperts = ({ cpuExpertLayers, tensorPlaces }: ServerOptions): boolean =>
  cpuExpertLayers !== undefined || tensorPlaces.length > 0;

/** Where the layers go: less what main memory holds of the model in any case. */
function withoutHost(reservation: Reservation, hostBytes: number): Reservation {
  const { CPU = 0, ...gpus } = reservation;
  const rest = CPU - Math.ceil(hostBytes);
  return rest > 0 ? { ...gpus, CPU: rest } : gpus;
}

function deviceArguments(
  reservation: Reservation,
  { layers = 0, gpuLayers }: LaunchOptions,
  { splitMode, tensorSplit }: ServerOptions,
): string[] {
  const gpus = Object.entries(reservation).filter(([id]) => id !== 'CPU');
  if (gpus.length === 0) return ['--device', 'none', '-ngl', '0'];
  const total = gpus.reduce((sum, [, bytes]) => sum + bytes, 0);
  const most = gpuLayers ?? layers;
  // In part on the CPU: so many layers as the GPUs' share holds, rounded down.
  const held = reservation['CPU']
    ? Math.floor((most * total) / sumBytes(reservation))
    : (gpuLayers ?? ALL_LAYERS);
  const devices = ['--device', gpus.map(([id]) => id).join(','), '-ngl', String(held)];
  if (gpus.length === 1) return splitMode === undefined ? [...devices, '--split-mode', 'none'] : devices;
  const shares = gpus.map(([, bytes]) => (bytes / total).toFixed(3)).join(',');
  return [
    ...devices,
    ...(splitMode === undefined ? ['--split-mode', 'layer'] : []),
    ...(tensorSplit === undefined ? ['--tensor-split', shares] : []),
  ];
}
