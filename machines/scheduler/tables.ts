import type { ClassQueue, DeviceView, RunnerView, Waiting } from '../planning/view.ts';
import type { Endpoint, LeaseId, ModelSpec, Reservation, RunnerId } from '../vocabulary.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** A runner as the ledger keeps it. */
export interface RunnerRow extends Omit<Mutable<RunnerView>, 'leases'> {
  leases: Set<LeaseId>;
  /** What it was seen to hold in all; null until it has been measured. */
  measuredBytes: number | null;
  endpoint: Endpoint | null;
  /** Whether its memory was in place when its devices were last read. */
  isSettled: boolean;
  /** Somebody asked for it to go; it is not started again. */
  isDismissed: boolean;
  /** Its load has failed, and those who waited for it have been answered. */
  hasFailed: boolean;
}

/** A runner that begins to load now. */
export const newRunnerRow = (
  id: RunnerId,
  spec: ModelSpec,
  reservation: Reservation,
  nowMs: number,
): RunnerRow => ({
  id,
  spec,
  state: 'loading',
  reason: 'requested',
  reservation,
  leases: new Set(),
  slots: spec.launch.slots,
  pinned: spec.pinned,
  keepAlive: spec.keepAlive,
  overstayed: false,
  startedAtMs: nowMs,
  stateSinceMs: nowMs,
  readyAtMs: null,
  lastUsedAtMs: nowMs,
  progress: null,
  pid: null,
  measuredBytes: null,
  endpoint: null,
  isSettled: false,
  isDismissed: false,
  hasFailed: false,
});

export interface DeviceRow extends Mutable<DeviceView> {}

/** A granted request. Its waiting entry is kept, so that a refused grant finds its old place. */
export interface LeaseRow {
  readonly waiting: Waiting;
  readonly runnerId: RunnerId;
  readonly grantedAtMs: number;
  /** The runner has confirmed it. */
  isOpen: boolean;
}

/** One class's queue: kept in order of place, and of arrival. */
export class QueueTable implements ClassQueue {
  spec: ClassQueue['spec'];
  readonly order: Waiting[] = [];
  readonly arrivals: Waiting[] = [];
  sumArrivalMs = 0;

  constructor(spec: ClassQueue['spec']) {
    this.spec = spec;
  }

  add(waiting: Waiting): void {
    let low = 0;
    let high = this.order.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#isAfter(this.order[middle], waiting)) high = middle;
      else low = middle + 1;
    }
    this.order.splice(low, 0, waiting);
    this.#insertByArrival(waiting);
    this.sumArrivalMs += waiting.arrivedAtMs;
  }

  remove(waiting: Waiting): void {
    const index = this.order[0] === waiting ? 0 : this.order.indexOf(waiting);
    if (index < 0) return;
    if (index === 0) this.order.shift();
    else this.order.splice(index, 1);
    if (this.arrivals[0] === waiting) this.arrivals.shift();
    else this.arrivals.splice(this.arrivals.indexOf(waiting), 1);
    this.sumArrivalMs -= waiting.arrivedAtMs;
  }

  /** Nearly always the last; only one that waits again has its old place. */
  #insertByArrival(waiting: Waiting): void {
    let index = this.arrivals.length;
    while (index > 0 && (this.arrivals[index - 1]?.seq ?? 0) > waiting.seq) index--;
    if (index === this.arrivals.length) this.arrivals.push(waiting);
    else this.arrivals.splice(index, 0, waiting);
  }

  #isAfter(other: Waiting | undefined, waiting: Waiting): boolean {
    if (!other) return true;
    return other.placeMs > waiting.placeMs || (other.placeMs === waiting.placeMs && other.seq > waiting.seq);
  }
}
