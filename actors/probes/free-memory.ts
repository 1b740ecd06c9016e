import type { DeviceId, DeviceReading } from '../../machines/vocabulary.ts';
import { AMD_WITHIN_MS, readAmd } from './amd.ts';
import { LIST_WITHIN_MS, listDevices } from './list-devices.ts';
import { matchDevices } from './match-devices.ts';
import { matchNvidia, NVIDIA_WITHIN_MS, NvidiaSmiError, readNvidia, type NvidiaPart } from './nvidia.ts';
import type { Sources } from './sources.ts';

export interface FreeMemoryOptions {
  readonly llamaServer: string;
  readonly nvidiaSmi: string;
  readonly sysRoot: string;
  readonly env: NodeJS.ProcessEnv;
}

/** Free bytes by device; null where the source failed. A device that its source does not know is not in it. */
type FreeBytes = Map<DeviceId, number | null>;

/**
 * What is free on the devices, from the cheapest source that can tell: nvidia-smi for CUDA, the kernel for ROCm, and
 * the runtime itself for all others.
 */
export class FreeMemory {
  readonly #sources: Sources;
  readonly #options: FreeMemoryOptions;

  constructor(sources: Sources, options: FreeMemoryOptions) {
    this.#sources = sources;
    this.#options = options;
  }

  /** `fresh` says that the devices' own figures are of this moment, so that the runtime need not be asked again. */
  async read(
    devices: readonly DeviceReading[],
    { fresh, mainFreeBytes }: { fresh: boolean; mainFreeBytes: number | null },
  ): Promise<readonly DeviceReading[]> {
    const free: FreeBytes = new Map([
      ...(await this.#cudaFree(devices, mainFreeBytes)),
      ...(await this.#rocmFree(devices, mainFreeBytes)),
    ]);
    if (fresh)
      return devices.map((device) => ({ ...device, freeBytes: free.get(device.id) ?? device.freeBytes }));
    const others = devices.filter(({ id }) => !free.has(id));
    const asked = others.length > 0 ? await this.#listedFree() : new Map<DeviceId, number | null>();
    return devices.map((device) => ({
      ...device,
      freeBytes: free.get(device.id) ?? asked.get(device.id) ?? null,
    }));
  }

  async #cudaFree(devices: readonly DeviceReading[], mainFreeBytes: number | null): Promise<FreeBytes> {
    const cuda = devices.filter(({ library }) => library === 'CUDA');
    if (cuda.length === 0) return new Map();
    const { nvidiaSmi, env } = this.#options;
    const gpus = await this.#sources.ask('nvidia-smi', NVIDIA_WITHIN_MS, () =>
      readNvidia(nvidiaSmi).catch(absentWhenNotInstalled),
    );
    if (gpus === 'absent') return new Map();
    const parts = matchNvidia(cuda, gpus ?? [], env);
    return new Map(cuda.map((device) => [device.id, freeOf(device, parts.get(device.id), mainFreeBytes)]));
  }

  async #rocmFree(devices: readonly DeviceReading[], mainFreeBytes: number | null): Promise<FreeBytes> {
    const rocm = devices.filter(({ library }) => library === 'ROCm');
    if (rocm.length === 0) return new Map();
    const cards = await this.#sources.ask('the kernel’s view of AMD cards', AMD_WITHIN_MS, () =>
      readAmd(this.#options.sysRoot),
    );
    const matches = matchDevices(rocm, cards ?? []);
    const shared = rocm.filter(({ sharesMainMemory }) => sharesMainMemory === true);
    return new Map([
      ...[...matches].map(([id, { freeBytes }]) => [id, freeBytes] as const),
      ...shared.map(
        ({ id, totalBytes }) =>
          [id, mainFreeBytes === null ? null : Math.min(totalBytes, mainFreeBytes)] as const,
      ),
    ]);
  }

  async #listedFree(): Promise<FreeBytes> {
    const { llamaServer, env } = this.#options;
    const listed = await this.#sources.ask('llama-server --list-devices', LIST_WITHIN_MS, () =>
      listDevices(llamaServer, env),
    );
    return new Map((listed ?? []).map(({ id, freeBytes }) => [id, freeBytes]));
  }
}

/** An integrated GPU's memory is main memory: nvidia-smi tells none of its own. */
function freeOf(
  { kind, totalBytes }: DeviceReading,
  part: NvidiaPart | undefined,
  mainFreeBytes: number | null,
): number | null {
  if (part === undefined || part.freeBytes !== null) return part?.freeBytes ?? null;
  return kind === 'integrated' && mainFreeBytes !== null ? Math.min(totalBytes, mainFreeBytes) : null;
}

/** A tool that is not there is no failure: the runtime is asked instead. */
function absentWhenNotInstalled(error: unknown): 'absent' {
  if (error instanceof NvidiaSmiError && error.kind === 'not-installed') return 'absent';
  throw error;
}
