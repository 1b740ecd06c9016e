import type { DeviceReading, Reservation } from '../../machines/vocabulary.ts';
import { isIntegrated } from './list-devices.ts';
import { matchDevices, type DriverDevice } from './match-devices.ts';
import { parseNvidiaSmi, type NvidiaGpu, type NvidiaSmiFailure } from './nvidia-smi-parser.ts';
import { runTool, type ToolResult } from './run-tool.ts';

/** Its deadline; a healthy driver answers in well under a second. */
export const NVIDIA_WITHIN_MS = 3_000;

/** Why nvidia-smi told nothing. */
export class NvidiaSmiError extends Error {
  override readonly name = 'NvidiaSmiError';
  readonly kind: NvidiaSmiFailure['kind'];

  constructor({ kind, message }: NvidiaSmiFailure, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** What CUDA takes for one device: a GPU, or one instance of a GPU that is divided (MIG). */
export interface NvidiaPart extends DriverDevice {
  readonly gpu: NvidiaGpu;
  readonly gpuInstanceId: number | null;
  readonly freeBytes: number | null;
}

/** The GPUs that nvidia-smi sees, in its order. Rejects with an `NvidiaSmiError`, or when it takes longer than 3 s. */
export async function readNvidia(nvidiaSmi: string): Promise<readonly NvidiaGpu[]> {
  const { stdout, stderr, exitCode } = await run(nvidiaSmi);
  const parsed = parseNvidiaSmi(stdout.trim() === '' ? stderr : stdout, exitCode);
  if ('failure' in parsed) throw new NvidiaSmiError(parsed.failure);
  return parsed.report.gpus;
}

async function run(nvidiaSmi: string): Promise<ToolResult> {
  try {
    return await runTool(nvidiaSmi, ['-q', '-x'], { withinMs: NVIDIA_WITHIN_MS });
  } catch (cause) {
    const isMissing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    if (!isMissing) throw cause;
    throw new NvidiaSmiError({ kind: 'not-installed', message: `${nvidiaSmi} is not installed` }, { cause });
  }
}

/** Which part is which of the runtime's CUDA devices; those that cannot be told apart are left out. */
export function matchNvidia(
  devices: readonly DeviceReading[],
  gpus: readonly NvidiaGpu[],
  env: NodeJS.ProcessEnv,
): ReadonlyMap<string, NvidiaPart> {
  const cuda = devices.filter(({ library }) => library === 'CUDA');
  return matchDevices(cuda, visibleGpus(gpus, env).flatMap(partsOf));
}

/** The GPUs as devices of a runtime that could not be asked itself; those of unknown size are left out. */
export function nvidiaReadings(gpus: readonly NvidiaGpu[], env: NodeJS.ProcessEnv): readonly DeviceReading[] {
  return visibleGpus(gpus, env)
    .flatMap((gpu) => partsOf(gpu).slice(0, 1)) // CUDA uses one instance of a divided GPU
    .flatMap(({ gpu: { name }, totalBytes, freeBytes }, index) =>
      totalBytes === null
        ? []
        : [
            {
              id: `CUDA${index}`,
              name,
              library: 'CUDA',
              kind: isIntegrated(name) ? ('integrated' as const) : ('discrete' as const),
              totalBytes,
              freeBytes,
            },
          ],
    );
}

/** What one process holds, by CUDA device; null when nvidia-smi cannot tell, as in containers and on WSL. */
export async function nvidiaUseOf(
  nvidiaSmi: string,
  pid: number,
  devices: readonly DeviceReading[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<Reservation | null> {
  const gpus = await readNvidia(nvidiaSmi).catch(() => []);
  const use: Record<string, number> = {};
  for (const [id, { gpu, gpuInstanceId }] of matchNvidia(devices, gpus, env)) {
    const bytes = gpu.processes
      .filter((process) => process.pid === pid)
      .filter((process) => gpuInstanceId === null || process.gpuInstanceId === gpuInstanceId)
      .reduce((sum, { usedBytes }) => sum + (usedBytes ?? 0), 0);
    if (bytes > 0) use[id] = bytes;
  }
  return Object.keys(use).length > 0 ? use : null;
}

function partsOf(gpu: NvidiaGpu): readonly NvidiaPart[] {
  if (gpu.migEnabled && gpu.migDevices.length > 0)
    return gpu.migDevices.map(({ gpuInstanceId, memory: { totalBytes, freeBytes } }) => ({
      gpu,
      gpuInstanceId,
      // CUDA names an instance by its profile, which the report does not tell: size alone decides.
      name: null,
      totalBytes,
      freeBytes,
    }));
  const { totalBytes, freeBytes } = gpu.memory;
  return [{ gpu, gpuInstanceId: null, name: gpu.name, totalBytes, freeBytes }];
}

/**
 * The GPUs that CUDA_VISIBLE_DEVICES leaves, in its order. Its numbers are CUDA's: they mean nvidia-smi's order only by request
 * or among equal GPUs; else nothing is hidden here, and matching decides.
 */
function visibleGpus(gpus: readonly NvidiaGpu[], env: NodeJS.ProcessEnv): readonly NvidiaGpu[] {
  const entries = (env['CUDA_VISIBLE_DEVICES'] ?? '')
    .split(',')
    .map((entry) => entry.trim())
    .filter(Boolean);
  if (entries.length === 0) return gpus;
  const isByUuid = entries.every((entry) => entry.startsWith('GPU-'));
  const isInOrder =
    env['CUDA_DEVICE_ORDER'] === 'PCI_BUS_ID' || new Set(gpus.map(({ name }) => name)).size === 1;
  if (!isByUuid && !(isInOrder && entries.every((entry) => /^\d+$/.test(entry)))) return gpus;
  return entries.flatMap(
    (entry) => (isByUuid ? gpus.find(({ uuid }) => uuid.startsWith(entry)) : gpus[Number(entry)]) ?? [],
  );
}
