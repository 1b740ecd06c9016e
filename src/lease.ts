import type { Failure } from '../machines/failures.ts';
import type { Endpoint, KeepAlive, LeaseId, ModelSpec, Priority, RunnerId } from '../machines/vocabulary.ts';
import type { Standing } from './auth/caller-names.ts';
import type { LoadedModel } from './loaded-models.ts';
import type { Signal } from './signal.ts';
import type { WaitProgress } from './wait-progress.ts';

/** What a request wants from the scheduler. */
export interface LeaseRequest {
  /** A configured name or alias. */
  readonly model: string;
  readonly priority?: Priority;
  /** How far its key lets it go before others; absent: as far as it likes. */
  readonly standing?: Standing;
  /** The client's wish, within what the configuration allows; absent leaves the runner's keep-alive alone. */
  readonly keepAlive?: KeepAlive;
  /** Told the id of the lease to be, at once: `progressOf` can be asked for it. */
  readonly onQueued?: (id: LeaseId) => void;
  /** A second try after a lost runner: says nothing of demand. */
  readonly isRetry?: boolean;
}

/** One request's right to use a runner. Release it exactly once, however the request ends; later calls do nothing. */
export interface Lease {
  readonly id: LeaseId;
  readonly runnerId: RunnerId;
  readonly model: string;
  readonly endpoint: Endpoint;
  /** Aborts, with a `ServiceError` as reason, when the runner is lost under the lease. */
  readonly lost: Signal;
  /** From arrival to grant, and the part of it in which the model was being loaded. */
  readonly waitMs: number;
  readonly loadMs: number;
  release(): void;
  /**
   * In place of `release`, when the client left in the midst of its request: ends the lease as soon as the runner has
   * stopped working on it, which it may notice late.
   */
  abandon(left: { readonly hasReplied: boolean }): void;
}

/** What the data path needs of the scheduler. */
export interface LeaseDesk {
  /**
   * Waits for a runner. Rejects with a `ServiceError` (unknown model, queue full, does not fit, load failed…), or
   * with the signal's reason once `signal` aborts; either way nothing is held.
   */
  acquire(request: LeaseRequest, signal: Signal): Promise<Lease>;
  /**
   * The runner that serves a model at present, to look at: no slot is taken, no keep-alive begins anew, and the runner may
   * go at any time. Null if none serves; nothing is loaded. Throws a `ServiceError` when there is no such model.
   */
  look(model: string): Lease | null;
  /** The model of a name or alias. Throws a `ServiceError` when there is none, or when it cannot be used. */
  find(model: string): ModelSpec;
  /** What is in memory at present. */
  loaded(): readonly LoadedModel[];
  /**
   * Has a model leave memory once nobody uses it or waits for it; resolves when that is arranged. Rejects as `acquire`
   * does.
   */
  unload(model: string, signal: Signal): Promise<void>;
  /** How far a waiting request has come; null when it waits no longer. */
  progressOf(id: LeaseId): WaitProgress | null;
  /** Why a runner was lost, if it was: asked by the data path when an upstream connection breaks. */
  lossOf(lease: Lease, withinMs: number): Promise<Failure | null>;
}
