import { fromPromise } from 'xstate';
import type { Effects } from '../../machines/effects.ts';
import type { DeviceId, DeviceReading } from '../../machines/vocabulary.ts';
import { readAmd } from './amd.ts';
import { readCpu } from './cpu.ts';
import { listDevices } from './list-devices.ts';
import { readNvidia } from './nvidia.ts';

export interface ProbeOptions {
  /** The llama-server that will be run; without one, runners use the CPU alone. */
  readonly llamaServer: string | null;
  readonly nvidiaSmi?: string;
  readonly sysRoot?: string;
  readonly root?: string;
  /** Told once when a source begins to fail, and when it works again. */
  readonly onNote?: (note: string) => void;
}

/** Free bytes by position, among the devices of one library. */
type FreeBytes = readonly (number | null)[];

/**
 * Reads the devices. Which there are is the runtime's own word, asked once (it starts the GPU drivers) and again while it
 * knows of none; what is free on them comes from cheaper sources: nvidia-smi, the kernel for AMD. A source that fails makes its
 * devices' memory unknown; it never makes them vanish. Callers at the same time share one reading.
 */
export function createProbeDevices(options: ProbeOptions): Effects['probeDevices'] {
  const probe = new Probe(options);
  return fromPromise<readonly DeviceReading[], { deviceIds: readonly DeviceId[] | null }>(
    async ({ input }) => {
      const readings = await probe.read();
      const { deviceIds } = input;
      return deviceIds === null ? readings : readings.filter(({ id }) => deviceIds.includes(id));
    },
  );
}

class Probe {
  readonly #options: ProbeOptions;
  readonly #failing = new Set<string>();
  #inventory: readonly DeviceReading[] | null = null;
  #underWay: Promise<readonly DeviceReading[]> | null = null;

  constructor(options: ProbeOptions) {
    this.#options = options;
  }

  read(): Promise<readonly DeviceReading[]> {
    this.#underWay ??= this.#readAll().finally(() => (this.#underWay = null));
    return this.#underWay;
  }

  async #readAll(): Promise<readonly DeviceReading[]> {
    const [gpus, cpu] = await Promise.all([this.#readGpus(), readCpu(this.#options.root)]);
    return [...gpus, cpu];
  }

  async #readGpus(): Promise<readonly DeviceReading[]> {
    const { llamaServer } = this.#options;
    if (llamaServer === null) return [];
    if (this.#inventory === null) {
      // The first list has fresh figures of its own.
      const found = await this.#ask('llama-server --list-devices', () => listDevices(llamaServer));
      this.#inventory = found;
      return found ?? [];
    }
    if (this.#inventory.length === 0) return [];
    const free = await this.#readFree(this.#inventory);
    const position = new Map<string, number>();
    return this.#inventory.map((device) => {
      const index = position.get(device.library) ?? 0;
      position.set(device.library, index + 1);
      return { ...device, freeBytes: free.get(device.library)?.[index] ?? null };
    });
  }

  async #readFree(devices: readonly DeviceReading[]): Promise<ReadonlyMap<string, FreeBytes>> {
    const { nvidiaSmi = 'nvidia-smi', sysRoot, llamaServer } = this.#options;
    const free = new Map<string, FreeBytes>();
    const libraries = new Set(devices.map(({ library }) => library));
    if (libraries.has('CUDA')) {
      const gpus = await this.#ask('nvidia-smi', () => readNvidia(nvidiaSmi));
      if (gpus)
        free.set(
          'CUDA',
          visibleGpus(
            gpus.map(({ memory }) => memory.freeBytes),
            devices,
          ),
        );
    }
    if (libraries.has('ROCm'))
      free.set(
        'ROCm',
        (await readAmd(sysRoot)).map(({ freeBytes }) => freeBytes),
      );
    // Vulkan, Metal, SYCL: only the runtime itself can tell.
    const others = [...libraries].filter((library) => !free.has(library) && library !== 'CUDA');
    if (others.length > 0 && llamaServer !== null) {
      const again = await this.#ask('llama-server --list-devices', () => listDevices(llamaServer));
      for (const library of others)
        free.set(
          library,
          (again ?? []).filter((one) => one.library === library).map((one) => one.freeBytes),
        );
    }
    return free;
  }

  /** Asks a source; its first failure in a row, and its recovery, are worth a note. */
  async #ask<T>(source: string, question: () => Promise<T>): Promise<T | null> {
    try {
      const answer = await question();
      if (this.#failing.delete(source)) this.#options.onNote?.(`${source} answers again`);
      return answer;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (!this.#failing.has(source))
        this.#options.onNote?.(`${source} failed: ${reason}; free memory is unknown`);
      this.#failing.add(source);
      return null;
    }
  }
}

/** With CUDA_VISIBLE_DEVICES the runtime counts fewer GPUs than the driver: by position they could be mixed up. */
function visibleGpus(free: FreeBytes, devices: readonly DeviceReading[]): FreeBytes {
  const seen = devices.filter(({ library }) => library === 'CUDA').length;
  if (seen === free.length) return free;
  const chosen = (process.env['CUDA_VISIBLE_DEVICES'] ?? '')
    .split(',')
    .map((one) => Number.parseInt(one, 10));
  return chosen.length === seen && chosen.every(Number.isInteger)
    ? chosen.map((index) => free[index] ?? null)
    : [];
}
