import { hash, timingSafeEqual } from 'node:crypto';
import type { Config } from '../config/schema.ts';
import type { Priority } from '../../machines/vocabulary.ts';
import type { Scope } from './scopes.ts';

type KeyConfigs = Config['keys'];

/** A key that is known. */
export interface KnownKey {
  readonly name: string;
  readonly hash: string;
  readonly scopes: readonly Scope[];
  /** May be `Infinity`; null for what all keys have. */
  readonly requestsPerMinute: number | null;
  /** Where its requests stand in line; null for where the model's do. */
  readonly priority: Priority | null;
}

interface Entry extends KnownKey {
  readonly digest: Buffer;
}

/** The configured keys. */
export class Keyring {
  readonly #entries: readonly Entry[];

  constructor(keys: KeyConfigs) {
    this.#entries = Object.entries(keys).map(([name, key]) => ({
      name,
      hash: key.hash,
      scopes: key.scopes,
      requestsPerMinute: key.requestsPerMinute ?? null,
      priority: key.priority ?? null,
      digest: Buffer.from(key.hash.slice('sha256:'.length), 'hex'),
    }));
  }

  /** Without keys, none is asked for. */
  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  /**
   * Finds who has this key: one digest, compared with each that is known, whichever it is, so that the time taken tells
   * nothing of how near a wrong one is.
   */
  find(presented: string): KnownKey | null {
    const digest = hash('sha256', presented, 'buffer');
    let found: Entry | null = null;
    for (const entry of this.#entries) if (timingSafeEqual(entry.digest, digest)) found = entry;
    return found;
  }

  /** Whether this very key is still here, and may do what it might. */
  has({ hash: kept, scopes }: KnownKey): boolean {
    return this.#entries.some(
      (entry) => entry.hash === kept && scopes.every((scope) => entry.scopes.includes(scope)),
    );
  }
}
