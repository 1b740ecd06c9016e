import { fromPromise } from 'xstate';
import type { Effects } from '../../machines/effects.ts';
import type { DeviceId, DeviceReading, Reservation } from '../../machines/vocabulary.ts';
import { readCpu } from './cpu.ts';
import { FreeMemory } from './free-memory.ts';
import { Inventory } from './inventory.ts';
import { nvidiaUseOf } from './nvidia.ts';
import { leftOut, leftOutText, type DeviceLimits } from './second-listings.ts';
import { Sources } from './sources.ts';

/** A runtime that failed to list its devices, or listed none, is asked again this much later. */
const RELIST_AFTER_MS = 30_000;

export interface ProbeOptions {
  /** The llama-server that will be run; without one, runners use the CPU alone. */
  readonly llamaServer: string | null;
  readonly nvidiaSmi?: string;
  /** Folders to read `sys/class/drm` and `proc/meminfo` under, for tests. */
  readonly sysRoot?: string;
  readonly root?: string;
  readonly relistAfterMs?: number;
  /** By device: whether what it holds is main memory, where its owner knows better than its name tells. */
  readonly sharesMainMemory?: Readonly<Record<DeviceId, boolean>>;
  /** The environment that the runtime gets: its variables may hide or reorder GPUs. */
  readonly env?: NodeJS.ProcessEnv;
  /** The most that Corral may use of devices: of a card that two backends list, one of which nothing may be used gives way. */
  readonly limits?: DeviceLimits;
  /** Told once when a source begins to fail, and when it works again. */
  readonly onNote?: (note: string) => void;
}

export interface DeviceProbes {
  readonly probeDevices: Effects['probeDevices'];
  /** What one process holds on the runtime's CUDA devices, in bytes; null when nvidia-smi cannot tell. */
  readonly usedByPid: (pid: number) => Promise<Reservation | null>;
}

/**
 * Reads the devices. Which there are is the runtime's own word; what is free on them comes from cheaper sources. A source that
 * fails makes its devices' memory unknown; it never makes them vanish. Callers at the same time share one reading,
 * and who asks for main memory alone waits for no GPU.
 */
export function createDeviceProbes(options: ProbeOptions): DeviceProbes {
  const gpus = options.llamaServer === null ? null : new Gpus(options, options.llamaServer);
  const told = (id: DeviceId): Pick<DeviceReading, 'sharesMainMemory'> => {
    const sharesMainMemory = options.sharesMainMemory?.[id];
    return sharesMainMemory === undefined ? {} : { sharesMainMemory };
  };
  const readNow = async (): Promise<readonly DeviceReading[]> => {
    const cpu = await readCpu(options.root);
    const listed = (await gpus?.read(cpu.freeBytes)) ?? [];
    return [...listed.map((reading) => ({ ...reading, ...told(reading.id) })), cpu];
  };
  let underWay: Promise<readonly DeviceReading[]> | null = null;
  const readAll = (): Promise<readonly DeviceReading[]> => {
    underWay ??= readNow().finally(() => (underWay = null));
    return underWay;
  };
  const probeDevices = fromPromise<readonly DeviceReading[], { deviceIds: readonly DeviceId[] | null }>(
    async ({ input: { deviceIds } }) => {
      if (deviceIds === null) return readAll();
      const isMainMemoryAlone = deviceIds.every((id) => id === 'CPU');
      const readings = isMainMemoryAlone ? [await readCpu(options.root)] : await readAll();
      return readings.filter(({ id }) => deviceIds.includes(id));
    },
  );
  const usedByPid = (pid: number): Promise<Reservation | null> =>
    gpus === null
      ? Promise.resolve(null)
      : nvidiaUseOf(options.nvidiaSmi ?? 'nvidia-smi', pid, gpus.devices, options.env);
  return { probeDevices, usedByPid };
}

class Gpus {
  readonly #inventory: Inventory;
  readonly #freeMemory: FreeMemory;
  readonly #limits: DeviceLimits;
  readonly #onNote: (note: string) => void;
  readonly #told = new Set<DeviceId>();

  constructor(options: ProbeOptions, llamaServer: string) {
    const full = {
      nvidiaSmi: 'nvidia-smi',
      sysRoot: '/sys',
      relistAfterMs: RELIST_AFTER_MS,
      env: process.env,
      onNote: () => {},
      ...options,
      llamaServer,
    };
    const sources = new Sources(full.onNote);
    this.#limits = options.limits ?? {};
    this.#onNote = full.onNote;
    this.#inventory = new Inventory(sources, full);
    this.#freeMemory = new FreeMemory(sources, full);
  }

  get devices(): readonly DeviceReading[] {
    return this.#inventory.devices;
  }

  async read(mainFreeBytes: number | null): Promise<readonly DeviceReading[]> {
    const fresh = await this.#inventory.refresh();
    const devices = this.#withoutSeconds(this.#inventory.devices);
    return this.#freeMemory.read(devices, { fresh, mainFreeBytes });
  }

  /** Without the listings of cards that another backend lists too. */
  #withoutSeconds(devices: readonly DeviceReading[]): readonly DeviceReading[] {
    const left = leftOut(devices, this.#limits);
    for (const one of left) {
      if (!this.#told.has(one.id)) this.#onNote(leftOutText(one));
      this.#told.add(one.id);
    }
    return devices.flatMap((device) => {
      if (left.some(({ id }) => id === device.id)) return [];
      const alsoListedAs = left.filter(({ is }) => is === device.id).map(({ id }) => id);
      return alsoListedAs.length > 0 ? { ...device, alsoListedAs } : device;
    });
  }
}
