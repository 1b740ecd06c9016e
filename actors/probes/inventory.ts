import type { DeviceReading } from '../../machines/vocabulary.ts';
import { AMD_WITHIN_MS, readAmd } from './amd.ts';
import { withSharedMemory } from './amd-shared.ts';
import { LIST_WITHIN_MS, listDevices } from './list-devices.ts';
import { NVIDIA_WITHIN_MS, nvidiaReadings, readNvidia } from './nvidia.ts';
import type { Sources } from './sources.ts';

export interface InventoryOptions {
  readonly llamaServer: string;
  readonly nvidiaSmi: string;
  readonly sysRoot: string;
  readonly relistAfterMs: number;
  readonly env: NodeJS.ProcessEnv;
  readonly onNote: (note: string) => void;
}

/**
 * Which GPUs there are: the runtime's own word, asked once, since asking starts the GPU drivers; and again from time to time
 * while it failed or knew of none, as before a driver is loaded. Until it has answered nvidia-smi's word is taken.
 */
export class Inventory {
  readonly #sources: Sources;
  readonly #options: InventoryOptions;
  #devices: readonly DeviceReading[] = [];
  #isListed = false;
  #askAgainAtMs = 0;

  constructor(sources: Sources, options: InventoryOptions) {
    this.#sources = sources;
    this.#options = options;
  }

  /** The devices as they were last listed. */
  get devices(): readonly DeviceReading[] {
    return this.#devices;
  }

  /** Makes sure that the devices are listed; true when their free memory is of this moment. */
  async refresh(): Promise<boolean> {
    if (this.#isListed && this.#devices.length > 0) return false;
    const listed = performance.now() >= this.#askAgainAtMs ? await this.#list() : null;
    if (listed !== null) {
      this.#isListed = true;
      this.#devices = listed;
      return true;
    }
    if (this.#isListed || this.#devices.length > 0) return false;
    this.#devices = await this.#guess();
    return true;
  }

  async #list(): Promise<readonly DeviceReading[] | null> {
    const { llamaServer, env, relistAfterMs, sysRoot } = this.#options;
    const listed = await this.#sources.ask('llama-server --list-devices', LIST_WITHIN_MS, () =>
      listDevices(llamaServer, env),
    );
    this.#askAgainAtMs = performance.now() + relistAfterMs;
    const isUnclear = listed?.some((one) => one.kind === 'integrated' && one.sharesMainMemory === undefined);
    if (!listed || !isUnclear) return listed;
    const cards = await this.#sources.ask('the kernel’s view of AMD cards', AMD_WITHIN_MS, () =>
      readAmd(sysRoot),
    );
    return withSharedMemory(listed, cards ?? []);
  }

  async #guess(): Promise<readonly DeviceReading[]> {
    const { nvidiaSmi, env, onNote } = this.#options;
    const gpus = await this.#sources.ask('nvidia-smi', NVIDIA_WITHIN_MS, () => readNvidia(nvidiaSmi));
    const guessed = nvidiaReadings(gpus ?? [], env);
    if (guessed.length > 0)
      onNote(
        `until llama-server lists its devices, they are nvidia-smi's: ${guessed.map(({ id }) => id).join(', ')}`,
      );
    return guessed;
  }
}
