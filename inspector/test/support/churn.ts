import type { ModelSpec } from '../../../machines/vocabulary.ts';
import type { Pool } from '../../../test/support/pool.ts';

/** How long each request is served, in virtual time. */
const RUN_MS = 2_000;
/** Of so many requests one has its model unloaded afterwards. */
const UNLOAD_EVERY = 50;

/** Requests for models by turns, in virtual time that passes as they come. */
export class Churn {
  readonly #pool: Pool;
  readonly #specs: readonly ModelSpec[];
  /** Virtual time from one request to the next, in ms. */
  readonly #gapMs: number;
  #count = 0;

  constructor(pool: Pool, specs: readonly ModelSpec[], gapMs: number) {
    this.#pool = pool;
    this.#specs = specs;
    this.#gapMs = gapMs;
    pool.doors.on('granted', ({ leaseId }) => {
      pool.world.clock.setTimeout(() => pool.doors.release(leaseId), RUN_MS);
    });
  }

  /** So many requests more. */
  step(requests: number): void {
    const { doors, scheduler } = this.#pool;
    for (let i = 0; i < requests; i++) {
      const count = this.#count++;
      // A stride that is prime to the number of models: each in its turn, but not in their order.
      const spec = this.#specs[(count * 77) % this.#specs.length];
      if (!spec) return;
      const leaseId = `churn-${count}`;
      doors.request({
        leaseId,
        spec,
        priority: 'normal',
        keepAlive: null,
        waitLimitMs: Infinity,
        isRetry: false,
      });
      if (count % UNLOAD_EVERY === 0)
        scheduler.send({ type: 'model.unload', model: spec.name, drainMs: Infinity });
      this.#pool.advance(this.#gapMs);
    }
  }
}
