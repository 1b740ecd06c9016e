import type { Waiting } from '../planning/view.ts';
import type { LeaseId, ModelSpec } from '../vocabulary.ts';
import { QueueTable } from './tables.ts';

const NONE: readonly never[] = [];

/** All who wait: a queue for each class of each model, and every request by its id. */
export class QueueTables {
  /** Only those with somebody in them. */
  readonly byClass = new Map<string, QueueTable>();
  readonly #byModel = new Map<string, QueueTable[]>();
  readonly #waiting = new Map<LeaseId, Waiting>();
  /** Most queues hold one request for no time at all, so the table that was emptied last is used again. */
  #spare: QueueTable | null = null;

  get count(): number {
    return this.#waiting.size;
  }
  ofModel(model: string): readonly QueueTable[] {
    return this.#byModel.get(model) ?? NONE;
  }
  get(leaseId: LeaseId): Waiting | undefined {
    return this.#waiting.get(leaseId);
  }
  all(): readonly Waiting[] {
    return [...this.#waiting.values()];
  }

  add(waiting: Waiting): void {
    this.#waiting.set(waiting.leaseId, waiting);
    const { classKey, name } = waiting.spec;
    let queue = this.byClass.get(classKey);
    if (!queue) {
      queue = this.#empty(waiting.spec);
      this.byClass.set(classKey, queue);
      const others = this.#byModel.get(name);
      if (others) others.push(queue);
      else this.#byModel.set(name, [queue]);
    }
    queue.add(waiting);
  }

  /** True when its queue is empty now. */
  remove(waiting: Waiting): boolean {
    const { classKey, name } = waiting.spec;
    const queue = this.byClass.get(classKey);
    if (!queue || !this.#waiting.delete(waiting.leaseId)) return false;
    queue.remove(waiting);
    if (queue.order.length > 0) return false;
    this.byClass.delete(classKey);
    this.#spare = queue;
    const queues = this.#byModel.get(name) ?? [];
    queues.splice(queues.indexOf(queue), 1);
    if (queues.length === 0) this.#byModel.delete(name);
    return true;
  }

  #empty(spec: ModelSpec): QueueTable {
    const spare = this.#spare;
    if (spare === null) return new QueueTable(spec);
    this.#spare = null;
    spare.spec = spec;
    return spare;
  }
}
