import { lookAtSlots, type SlotLook } from '../actors/process/read-slots.ts';
import type { Endpoint, LeaseId } from '../machines/vocabulary.ts';

/**
 * Time between looks. llama-server learns in pauses of one second that a client has left, and every question, that for its
 * slots included, begins such a pause anew: asked more often it would never learn it.
 */
const LOOK_EVERY_MS = 1_250;
/** Where the reply has begun, its next token cannot be sent, and the slot is free at once. */
const FIRST_LOOK_MS = 100;
/** From a line of the log that calls for a look to the look, and from one such look to the next. */
const LOOK_SOON_MS = 20;
const LOOKS_APART_MS = 100;
/** A long prompt is worked on in one piece; until then no question is answered. */
const ANSWER_WITHIN_MS = 30_000;
/** A reply whose slot has just become free reaches its client within this time, and its lease ends. */
const SETTLE_MS = 50;
/** Then the slot counts as free, whatever it does. */
const HELD_AT_MOST_MS = 300_000;

/** llama-server and the embedded runner print this when a slot becomes free. */
const RELEASED = /\bslot\b.*\brelease\b/;

/** A lease whose client has left while its runner worked for it. */
export interface AbandonedLease {
  readonly leaseId: LeaseId;
  /** Whether bytes of the reply have come. */
  readonly hasReplied: boolean;
  release(): void;
}

/** What is seen at the first look after a client has left: what was at work, and for whom besides. */
export interface Scene {
  readonly tasks: ReadonlySet<number>;
  readonly others: ReadonlySet<LeaseId>;
}

/** True once no more of what was at work then still works than there are others still served. */
export const hasEnded = (
  { tasks, others }: Scene,
  working: ReadonlySet<number>,
  leases: ReadonlySet<LeaseId>,
): boolean => countIn(working, tasks) <= countIn(leases, others);

const countIn = <Item>(all: ReadonlySet<Item>, some: ReadonlySet<Item>): number => {
  let count = 0;
  for (const one of some) if (all.has(one)) count += 1;
  return count;
};

interface Held extends AbandonedLease {
  readonly sinceMs: number;
  scene: Scene | null;
}

export interface SlotWatchParts {
  readonly endpoint: Endpoint;
  /** All leases of the runner at present. */
  readonly leases: () => ReadonlySet<LeaseId>;
  /** Hears each line that the runner prints; the answer ends it. */
  readonly onLine: (listener: (line: string) => void) => () => void;
  /** Told of a lease that was released although its slot still works, and after how long. */
  readonly onOverstay: (leaseId: LeaseId, heldMs: number) => void;
  /** Told when no lease is held any more. */
  readonly onEnd: () => void;
}

/**
 * Holds the abandoned leases of one runner until its slots are seen to be free of them. A look is taken when the runner's
 * log tells of a slot that became free, and from time to time in any case.
 */
export class SlotWatch {
  readonly #parts: SlotWatchParts;
  readonly #stop = new AbortController();
  readonly #unsubscribe: () => void;
  #held: Held[] = [];
  #timer: NodeJS.Timeout | null = null;
  #dueMs = Infinity;
  #lookedAtMs = -Infinity;
  #isLooking = false;

  constructor(parts: SlotWatchParts) {
    this.#parts = parts;
    this.#unsubscribe = parts.onLine((line) => {
      if (RELEASED.test(line))
        this.#lookIn(Math.max(LOOK_SOON_MS, this.#lookedAtMs + LOOKS_APART_MS - performance.now()));
    });
  }

  hold(lease: AbandonedLease): void {
    this.#held.push({ ...lease, sinceMs: performance.now(), scene: null });
    this.#lookIn(lease.hasReplied ? FIRST_LOOK_MS : LOOK_EVERY_MS);
  }

  /** The lease is over by other means. */
  forget(leaseId: LeaseId): void {
    this.#held = this.#held.filter((one) => one.leaseId !== leaseId);
    if (this.#held.length === 0) this.#end();
  }

  /** Releases all, whatever the slots do. */
  releaseAll(): void {
    for (const one of this.#held.splice(0)) one.release();
    this.#end();
  }

  #end(): void {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    this.#unsubscribe();
    if (this.#timer) clearTimeout(this.#timer);
    this.#parts.onEnd();
  }

  #lookIn(delayMs: number): void {
    const dueMs = performance.now() + delayMs;
    if (dueMs >= this.#dueMs) return;
    this.#dueMs = dueMs;
    if (this.#isLooking) return;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#look(), delayMs);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    this.#dueMs = Infinity;
    this.#isLooking = true;
    this.#lookedAtMs = performance.now();
    const { signal } = this.#stop;
    try {
      const look = await lookAtSlots(this.#parts.endpoint, ANSWER_WITHIN_MS, signal);
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
      if (!signal.aborted) this.#judge(look);
    } catch {
      return; // only ever rejects because it was stopped
    } finally {
      this.#isLooking = false;
    }
    const dueMs = Math.min(this.#dueMs, performance.now() + LOOK_EVERY_MS);
    this.#dueMs = Infinity;
    if (!signal.aborted) this.#lookIn(Math.max(0, dueMs - performance.now()));
  }

  #judge(look: SlotLook): void {
    const nowMs = performance.now();
    // One after the other: whoever is released does not count for those after it.
    for (const one of this.#held) {
      const heldMs = nowMs - one.sinceMs;
      const isOver = this.#isOver(one, look);
      if (!isOver && heldMs < HELD_AT_MOST_MS) continue;
      if (!isOver) this.#parts.onOverstay(one.leaseId, heldMs);
      one.release();
      this.forget(one.leaseId);
    }
  }

  #isOver(one: Held, look: SlotLook): boolean {
    if (look === 'not-told') return true;
    if (look === 'no-answer') return false;
    const working = new Set<number>();
    for (const { id, id_task: task, is_processing: works } of look) if (works) working.add(task ?? id);
    const leases = this.#parts.leases();
    one.scene ??= { tasks: working, others: new Set([...leases].filter((id) => id !== one.leaseId)) };
    return hasEnded(one.scene, working, leases);
  }
}
