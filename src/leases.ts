import type { Failure } from '../machines/failures.ts';
import { shuttingDown } from '../machines/scheduler/commands.ts';
import type { Doors, Granted } from '../actors/doors.ts';
import type { LeaseId, ModelSpec, RunnerId } from '../machines/vocabulary.ts';
import { ServiceError } from './errors.ts';
import type { Lease, LeaseDesk, LeaseRequest } from './lease.ts';
import { SlotWatch } from './slot-watch.ts';
import { waitProgress, type WaitProgress } from './wait-progress.ts';
import { loadedModels, type LoadedModel } from './loaded-models.ts';
import { requestPriority } from './request-priority.ts';
import { LightSignal, type Signal } from './signal.ts';
import { ledgerOf, type Scheduler } from './ledger-of.ts';

interface Pending {
  readonly model: string;
  readonly resolve: (lease: Lease) => void;
  readonly reject: (reason: unknown) => void;
  /** Stops listening to its client; null as long as nothing listens. */
  forget: (() => void) | null;
}

export interface LeasesOptions {
  /** The model of a name or alias. Throws a `ServiceError` when there is none, or when its file is no model. */
  readonly resolve: (name: string) => ModelSpec;
  /** Longest wait for a runner, in ms, as it is configured now. */
  readonly waitLimitMs: () => number;
  /** Hears each line that a runner prints; the answer ends it. */
  readonly onLine: (runnerId: RunnerId, listener: (line: string) => void) => () => void;
  /** Told of a lease that ended although its runner works on for a client that left, and after how long. */
  readonly onOverstay: (lease: Pick<Lease, 'id' | 'runnerId' | 'model'>, heldMs: number) => void;
}

/**
 * The desk between requests and the doors of the runners: asks for a runner, and gives it back. One listener for all requests, one
 * map of those that wait; a request that goes away in whatever manner leaves nothing behind.
 */
export class Leases implements LeaseDesk {
  readonly #scheduler: Scheduler;
  readonly #doors: Doors;
  readonly #options: LeasesOptions;
  readonly #pending = new Map<string, Pending>();
  readonly #held = new Map<string, LightSignal>();
  /** Of runners that work on for clients that have left. */
  readonly #watches = new Map<RunnerId, SlotWatch>();
  #seq = 0;

  constructor(scheduler: Scheduler, doors: Doors, options: LeasesOptions) {
    this.#scheduler = scheduler;
    this.#doors = doors;
    this.#options = options;
    doors.on('granted', (granted) => this.#grant(granted));
    doors.on('refused', ({ leaseId, failure }) => this.#refuse(leaseId, failure));
    doors.on('lost', ({ leaseId, failure }) => this.#lose(leaseId, failure));
    scheduler.on('runner.changed', ({ runnerId }) => this.#letGo(runnerId));
  }

  /** Requests that wait and leases that are held: both come back to zero. */
  get counts(): { readonly waiting: number; readonly held: number } {
    return { waiting: this.#pending.size, held: this.#held.size };
  }

  async acquire(request: LeaseRequest, signal: Signal): Promise<Lease> {
    if (signal.aborted) throw signal.reason;
    // A stopped actor would never answer.
    if (this.#scheduler.getSnapshot().status !== 'active') throw new ServiceError(shuttingDown);
    const spec = this.find(request.model);
    const leaseId = `lease-${++this.#seq}`;
    return new Promise((resolve, reject) => {
      const withdraw = (): void => {
        this.#settle(leaseId)?.reject(signal.reason);
        this.#doors.withdraw(leaseId);
      };
      request.onQueued?.(leaseId);
      const pending: Pending = { model: spec.name, resolve, reject, forget: null };
      this.#pending.set(leaseId, pending);
      this.#doors.request({
        leaseId,
        spec,
        priority: requestPriority(request.priority, spec.priority, request.standing),
        keepAlive: request.keepAlive ?? null,
        waitLimitMs: this.#options.waitLimitMs(),
        isRetry: request.isRetry ?? false,
      });
      // Most are answered by now, and their clients cannot have left in between.
      if (!this.#pending.has(leaseId)) return;
      signal.addEventListener('abort', withdraw);
      pending.forget = () => signal.removeEventListener('abort', withdraw);
    });
  }

  look(name: string): Lease | null {
    const { name: model } = this.find(name);
    const runners = ledgerOf(this.#scheduler).runnersOf(model);
    const runner = runners.findLast(({ state }) => state === 'ready' || state === 'idle');
    if (!runner?.endpoint) return null;
    const { id: runnerId, endpoint } = runner;
    return {
      id: `look-${++this.#seq}`,
      runnerId,
      model,
      endpoint,
      lost: new LightSignal(),
      waitMs: 0,
      loadMs: 0,
      release: () => {},
      abandon: () => {},
    };
  }

  find(name: string): ModelSpec {
    return this.#options.resolve(name);
  }

  loaded(): readonly LoadedModel[] {
    this.#doors.tell();
    return loadedModels(ledgerOf(this.#scheduler));
  }

  async unload(name: string, signal: Signal): Promise<void> {
    const { name: model } = this.find(name);
    const ledger = ledgerOf(this.#scheduler);
    if (ledger.runnersOf(model).length === 0) return;
    // Others are served first: in its turn, a lease leaves no keep-alive behind.
    if (this.#isUsed(model))
      (await this.acquire({ model, keepAlive: 0, priority: 'batch', isRetry: true }, signal)).release();
    this.#doors.tell();
    // The runner is on its way out by now, unless it is one that stays until its memory is wanted.
    if (!this.#isUsed(model))
      this.#scheduler.send({ type: 'model.unload', model, drainMs: ledger.settings.drainMs });
  }

  #isUsed(model: string): boolean {
    const ledger = ledgerOf(this.#scheduler);
    return (
      ledger.queuesOf(model).length > 0 ||
      ledger.runnersOf(model).some(({ id }) => this.#doors.inside(id).size > 0)
    );
  }

  progressOf(leaseId: LeaseId): WaitProgress | null {
    return waitProgress(ledgerOf(this.#scheduler), leaseId);
  }

  async lossOf(lease: Lease, withinMs: number): Promise<Failure | null> {
    if (!lease.lost.aborted)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, withinMs);
        lease.lost.addEventListener('abort', () => (clearTimeout(timer), resolve()));
      });
    return lease.lost.reason instanceof ServiceError ? lease.lost.reason.failure : null;
  }

  #settle(leaseId: string): Pending | undefined {
    const pending = this.#pending.get(leaseId);
    this.#pending.delete(leaseId);
    pending?.forget?.();
    return pending;
  }

  #grant({ leaseId, runnerId, endpoint, waitMs, loadMs }: Granted): void {
    const pending = this.#settle(leaseId);
    if (!pending) return;
    const lost = new LightSignal();
    this.#held.set(leaseId, lost);
    const release = (): void => {
      // A lost lease is over already: its door was the first to know.
      if (this.#held.delete(leaseId)) this.#doors.release(leaseId);
    };
    const { model } = pending;
    const lease = { id: leaseId, runnerId, model, endpoint, lost, waitMs, loadMs, release };
    pending.resolve({ ...lease, abandon: (left) => this.#abandon({ ...lease, ...left }) });
  }

  #abandon(lease: Omit<Lease, 'abandon'> & { readonly hasReplied: boolean }): void {
    const { id: leaseId, runnerId, lost, hasReplied, release } = lease;
    if (!this.#held.has(leaseId)) return;
    const watch = this.#watches.get(runnerId) ?? this.#watch(lease);
    this.#watches.set(runnerId, watch);
    lost.addEventListener('abort', () => watch.forget(leaseId));
    watch.hold({ leaseId, hasReplied, release });
    // It may be on its way out already.
    this.#letGo(runnerId);
  }

  #watch({ runnerId, model, endpoint }: Omit<Lease, 'abandon'>): SlotWatch {
    const { onLine, onOverstay } = this.#options;
    return new SlotWatch({
      endpoint,
      leases: () => this.#doors.inside(runnerId),
      onLine: (listener) => onLine(runnerId, listener),
      onOverstay: (id, heldMs) => onOverstay({ id, runnerId, model }, heldMs),
      onEnd: () => void this.#watches.delete(runnerId),
    });
  }

  /** Nobody gets the slots of a runner that is to go: it need not wait for those whose clients have left. */
  #letGo(runnerId: RunnerId): void {
    if (!this.#doors.isOpen(runnerId)) this.#watches.get(runnerId)?.releaseAll();
  }

  #refuse(leaseId: string, failure: Failure): void {
    this.#settle(leaseId)?.reject(new ServiceError(failure));
  }

  #lose(leaseId: string, failure: Failure): void {
    const lost = this.#held.get(leaseId);
    this.#held.delete(leaseId);
    lost?.abort(new ServiceError(failure));
  }
}
