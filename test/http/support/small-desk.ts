import type { Failure } from '../../../machines/failures.ts';
import type { ModelSpec } from '../../../machines/vocabulary.ts';
import { ServiceError } from '../../../src/errors.ts';
import type { WaitProgress } from '../../../src/wait-progress.ts';
import type { LoadedModel } from '../../../src/loaded-models.ts';
import type { Lease, LeaseDesk, LeaseRequest } from '../../../src/lease.ts';
import { LightSignal, type Signal } from '../../../src/signal.ts';

/** A lease that a test can lose, and that counts how often it was released. */
export interface SmallLease extends Lease {
  readonly releases: number;
  lose(failure: Failure): void;
}

const tiny: ModelSpec = {
  name: 'tiny',
  classKey: 'tiny',
  launch: {
    runtime: 'embedded',
    modelPath: '/nowhere/tiny.gguf',
    adapterPaths: [],
    contextTokens: 2048,
    slots: 1,
    embedding: false,
    extraArgs: [],
  },
  needBytes: 1_000_000,
  needSource: 'predicted',
  keepAlive: 300_000,
  pinned: false,
  devices: null,
  placement: 'gpu-or-cpu',
  loadEstimateMs: 1_000,
  maxQueue: 64,
};

const API_KEY = 'runner-key';

/**
 * Grants leases on the given addresses in turn (the last one from then on), at once unless `open` is awaited. Knows
 * one model, `tiny`.
 */
export class SmallDesk implements LeaseDesk {
  readonly requests: LeaseRequest[] = [];
  readonly leases: SmallLease[] = [];
  readonly unloaded: string[] = [];
  readonly looks: string[] = [];
  readonly #baseUrls: readonly string[];
  /** What every acquire is refused with, if anything. */
  refusal: Error | null = null;
  /** What `lossOf` answers. */
  loss: Failure | null = null;
  /** Awaited by every acquire. */
  open: Promise<void> = Promise.resolve();
  waiting = 0;
  withdrawn = 0;

  constructor(...baseUrls: readonly string[]) {
    this.#baseUrls = baseUrls;
  }

  async acquire(request: LeaseRequest, signal: Signal): Promise<Lease> {
    const { onQueued, ...rest } = request;
    this.requests.push(rest);
    onQueued?.(`lease-${this.leases.length}`);
    if (request.model !== 'tiny') {
      throw new ServiceError({ code: 'model_not_found', message: `No model is called ${request.model}.` });
    }
    if (this.refusal) throw this.refusal;
    this.waiting += 1;
    try {
      await Promise.race([this.open, rejectionOf(signal)]);
      if (signal.aborted) throw signal.reason;
    } catch (error) {
      this.withdrawn += 1;
      throw error;
    } finally {
      this.waiting -= 1;
    }
    return this.#grant(request.model);
  }

  /** Whether a runner serves at present. */
  isLoaded = true;

  look(model: string): Lease | null {
    this.find(model);
    this.looks.push(model);
    return this.isLoaded ? { ...this.#lease(0, model), id: 'look-0' } : null;
  }

  find(model: string): ModelSpec {
    if (model !== 'tiny')
      throw new ServiceError({ code: 'model_not_found', message: `No model is called ${model}.` });
    return tiny;
  }

  loaded(): readonly LoadedModel[] {
    return [];
  }

  /** What `progressOf` answers. */
  progress: WaitProgress | null = null;

  progressOf(): WaitProgress | null {
    return this.progress;
  }

  async unload(model: string): Promise<void> {
    this.unloaded.push(model);
  }

  async lossOf(): Promise<Failure | null> {
    return this.loss;
  }

  /** Leases granted and not released exactly once. */
  get unsettled(): number {
    return this.leases.filter(({ releases }) => releases !== 1).length;
  }

  #grant(model: string): SmallLease {
    const lease = this.#lease(this.leases.length, model);
    this.leases.push(lease);
    return lease;
  }

  #lease(nth: number, model: string): SmallLease {
    const lost = new LightSignal();
    let releases = 0;
    return {
      id: `lease-${nth}`,
      runnerId: `runner-${Math.min(nth, this.#baseUrls.length - 1)}`,
      model,
      endpoint: { baseUrl: this.#baseUrls[nth] ?? this.#baseUrls.at(-1) ?? '', apiKey: API_KEY },
      lost,
      waitMs: 12.4,
      loadMs: 3.2,
      get releases() {
        return releases;
      },
      lose: (failure) => lost.abort(new ServiceError(failure)),
      release: () => void (releases += 1),
      abandon: () => void (releases += 1),
    };
  }
}

const rejectionOf = (signal: Signal): Promise<never> =>
  new Promise((_, reject) => {
    const fail = (): void => reject(signal.reason);
    if (signal.aborted) fail();
    signal.addEventListener('abort', fail);
  });
