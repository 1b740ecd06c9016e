import type { ProcessSpec } from '../../machines/effects.ts';
import { batchTokensFor } from '../../machines/planning/batch.ts';
import { sumBytes } from '../../machines/vocabulary.ts';

/** llama.cpp's "all layers": any number above the model's own. */
const ALL_LAYERS = '999';
/** llama.cpp's default `--batch-size`. */
const USUAL_BATCH = 2_048;

/**
 * The command line of one runner: where it listens, what it loads, and just the devices that were reserved for it. The
 * model's own extra arguments come last, so that they win. The key is not among them: arguments can be read by anybody
 * who can list processes.
 */
export function serverArguments(
  { launch, modelName, reservation }: ProcessSpec,
  port: number,
  socketPath: string | null = null,
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
    ...(launch.embedding ? ['--embedding'] : []),
    ...(launch.runtime === 'llama-server' ? llamaServerOnly(batchTokensFor(launch)) : []),
    ...(launch.runtime === 'llama-server' && launch.readsFile ? ['--no-mmap'] : []),
    ...(launch.runtime === 'llama-server' ? deviceArguments(reservation, launch.layers) : []),
    ...(launch.projectorPath ? ['--mmproj', launch.projectorPath] : []),
    ...launch.adapterPaths.flatMap((path) => ['--lora', path]),
    ...launch.extraArgs,
  ];
}

const llamaServerOnly = (batchTokens: number): string[] => [
  '--ubatch-size',
  String(batchTokens),
  '--batch-size',
  String(Math.max(USUAL_BATCH, batchTokens)),
  '--offline',
  '--slots',
  '--metrics',
  '--log-colors',
  'off',
  // Corral plans the memory; the server must not change context or layers behind its back.
  '--fit',
  'off',
];

function deviceArguments(reservation: ProcessSpec['reservation'], layers = 0): string[] {
  const gpus = Object.entries(reservation).filter(([id]) => id !== 'CPU');
  if (gpus.length === 0) return ['--device', 'none', '-ngl', '0'];
  const total = gpus.reduce((sum, [, bytes]) => sum + bytes, 0);
  // In part on the CPU: so many layers as the GPUs' share holds, rounded down.
  const onGpus = reservation['CPU']
    ? String(Math.floor((layers * total) / sumBytes(reservation)))
    : ALL_LAYERS;
  const devices = ['--device', gpus.map(([id]) => id).join(','), '-ngl', onGpus];
  if (gpus.length === 1) return [...devices, '--split-mode', 'none'];
  const shares = gpus.map(([, bytes]) => (bytes / total).toFixed(3)).join(',');
  return [...devices, '--split-mode', 'layer', '--tensor-split', shares];
}
