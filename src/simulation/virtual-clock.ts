interface Timer {
  readonly id: number;
  readonly dueMs: number;
  readonly fire: () => void;
}

const isEarlier = (a: Timer, b: Timer): boolean => a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.id < b.id);

/**
 * Virtual time: each timer fires at its own due time, ties in the order in which they were set. Nothing happens between
 * timers, so three virtual hours take as long as their events do.
 */
export class VirtualClock {
  #nowMs = 0;
  #nextId = 1;
  readonly #heap: Timer[] = [];
  readonly #live = new Set<number>();

  readonly now = (): number => this.#nowMs;

  /** Timers that are still to fire. */
  get pending(): number {
    return this.#live.size;
  }

  readonly setTimeout = (fire: () => void, delayMs: number): number => {
    const id = this.#nextId++;
    if (delayMs === Infinity || Number.isNaN(delayMs)) return id;
    this.#live.add(id);
    this.#push({ id, dueMs: this.#nowMs + Math.max(0, delayMs), fire });
    return id;
  };

  readonly clearTimeout = (id: number): void => {
    this.#live.delete(id);
  };

  /** Fires the next timer that is due at or before `untilMs`; false when there is none. */
  step(untilMs = Infinity): boolean {
    for (;;) {
      const next = this.#heap[0];
      if (!next || next.dueMs > untilMs) return false;
      this.#pop();
      if (!this.#live.delete(next.id)) continue;
      this.#nowMs = next.dueMs;
      next.fire();
      return true;
    }
  }

  advance(ms: number): void {
    this.advanceTo(this.#nowMs + ms);
  }

  advanceTo(untilMs: number): void {
    while (this.step(untilMs));
    this.#nowMs = Math.max(this.#nowMs, untilMs);
  }

  #push(timer: Timer): void {
    const heap = this.#heap;
    let i = heap.push(timer) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      const above = heap[parent];
      if (!above || !isEarlier(timer, above)) break;
      heap[i] = above;
      i = parent;
    }
    heap[i] = timer;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      const [left, right] = [heap[child], heap[child + 1]];
      if (!left) break;
      if (right && isEarlier(right, left)) child++;
      const smaller = heap[child];
      if (!smaller || !isEarlier(smaller, last)) break;
      heap[i] = smaller;
      i = child;
    }
    heap[i] = last;
  }
}
