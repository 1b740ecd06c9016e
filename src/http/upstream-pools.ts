import { Pool } from 'undici';
import { runnerConnector } from '../../actors/process/connect-runner.ts';
import type { Endpoint } from '../../machines/vocabulary.ts';

/** Below llama-server's 5 s (cpp-httplib), so that a request never meets a connection that the runner is closing. */
const KEEP_ALIVE_MS = 2_500;
/** A pool that nobody has used for this long belongs to a runner that has most likely gone. */
const UNUSED_AFTER_MS = 60_000;

interface Entry {
  readonly pool: Pool;
  usedAtMs: number;
}

/** One connection pool for each runner. Runner ids are never reused, so no connection outlives its runner unnoticed. */
export class UpstreamPools {
  readonly #entries = new Map<string, Entry>();

  get size(): number {
    return this.#entries.size;
  }

  /** The pool of a runner that answers there. */
  of(runnerId: string, endpoint: Endpoint): Pool {
    const nowMs = performance.now();
    const known = this.#entries.get(runnerId);
    if (known) {
      known.usedAtMs = nowMs;
      return known.pool;
    }
    this.#dropUnused(nowMs);
    const pool = new Pool(endpoint.baseUrl, {
      connect: runnerConnector(endpoint),
      // No bound here: leases bound it, and a request must not wait a second time in a queue that nobody sees.
      connections: null,
      pipelining: 1,
      // A reply that is not streamed sends its headers when it is finished, however long that takes.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MS,
    });
    this.#entries.set(runnerId, { pool, usedAtMs: nowMs });
    return pool;
  }

  /** Closes a runner's pool once its requests have ended. For a runner that has gone, or is about to. */
  drop(runnerId: string): void {
    const entry = this.#entries.get(runnerId);
    this.#entries.delete(runnerId);
    // Closing fails only if it is closed already.
    entry?.pool.close().catch(() => undefined);
  }

  /** Closes all of them. */
  dropAll(): void {
    for (const runnerId of this.#entries.keys()) this.drop(runnerId);
  }

  #dropUnused(nowMs: number): void {
    for (const [runnerId, entry] of this.#entries) {
      if (nowMs - entry.usedAtMs > UNUSED_AFTER_MS && entry.pool.stats.size === 0) this.drop(runnerId);
    }
  }
}
