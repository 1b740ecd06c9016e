import type { Failure } from '../../../machines/failures.ts';
import type { ModelSpec } from '../../../machines/vocabulary.ts';
import type { Pool } from '../pool.ts';
import type { Breaches } from './breaches.ts';
import { leftRoom, type Asked } from './room.ts';
import type { Script } from './script.ts';

type Options = NonNullable<Parameters<Pool['request']>[1]> & { readonly runMs: number };
type Told = 'granted' | 'refused' | 'lost';

/** What a request may be told, in this order; nothing at all if its client has left before. */
const ENDS: ReadonlySet<string> = new Set(['granted', 'granted lost', 'refused']);

/** All requests of a script, and what each was told: each ends exactly once. */
export class Answers {
  readonly #pool: Pool;
  readonly #script: Script;
  readonly #breaches: Breaches;
  readonly #asked = new Map<string, Asked>();
  readonly #told = new Map<string, Told[]>();
  readonly #hasLeft = new Set<string>();
  readonly #hasEnded = new Set<string>();
  readonly #cancel: (() => void)[] = [];
  #calmSinceMs = 0;

  constructor(pool: Pool, script: Script, breaches: Breaches) {
    this.#pool = pool;
    this.#script = script;
    this.#breaches = breaches;
    pool.doors.on('granted', ({ leaseId }) => this.#hear('granted', leaseId));
    pool.doors.on('ended', ({ leaseId }) => this.#hasEnded.add(leaseId));
    pool.doors.on('lost', ({ leaseId }) => this.#hear('lost', leaseId));
    pool.doors.on('refused', ({ leaseId, failure }) => {
      this.#hear('refused', leaseId);
      this.#refused(leaseId, failure);
    });
  }

  ask(spec: ModelSpec, options: Options): void {
    // The pool counts them in the same way; some are answered while they are being asked.
    const id = `r${this.#asked.size + 1}`;
    this.#asked.set(id, { id, spec, atMs: this.#pool.world.clock.now(), runMs: options.runMs });
    this.#cancel.push(this.#pool.request(spec, options).cancel);
  }

  cancel(index: number): void {
    this.#cancel[index]?.();
    if (index < this.#cancel.length) this.#hasLeft.add(`r${index + 1}`);
  }

  /** Something has happened that nobody who waits can reckon with. */
  disturb(): void {
    this.#calmSinceMs = this.#pool.world.clock.now();
  }

  /** Nobody is owed anything any more. */
  complete(): void {
    for (const id of this.#asked.keys()) {
      const told = this.#told.get(id)?.join(' ');
      const isAnswered = told === undefined ? this.#hasLeft.has(id) : ENDS.has(told);
      this.#breaches.check(isAnswered, `${id} was told in the end: ${told ?? 'nothing'}`);
    }
  }

  #hear(type: Told, id: string): void {
    if (!this.#asked.has(id)) return;
    const told = [...(this.#told.get(id) ?? []), type];
    this.#told.set(id, told);
    this.#breaches.check(!this.#hasLeft.has(id), `${id} has left and is told: ${type}`);
    this.#breaches.check(ENDS.has(told.join(' ')), `${id} was told: ${told.join(', ')}`);
  }

  #refused(id: string, { code }: Failure): void {
    const one = this.#asked.get(id);
    if (!one || code !== 'queue_timeout' || this.#script.policy !== 'default') return;
    const { ledger, world } = this.#pool;
    const isTooBad = leftRoom({
      one,
      others: [...this.#asked.values()].filter((other) => other !== one),
      calmSinceMs: this.#calmSinceMs,
      nowMs: world.clock.now(),
      longestLoadMs: Math.max(...[...world.models.values()].map(({ loadMs }) => loadMs)),
      isServed: (id) => this.#told.get(id)?.join() === 'granted' && !this.#hasEnded.has(id),
      ledger,
      world,
    });
    this.#breaches.check(!isTooBad, `${id} waited in vain although there was room for it`);
  }
}
