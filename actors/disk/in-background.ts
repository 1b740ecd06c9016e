import { setTimeout as sleep } from 'node:timers/promises';

/** After a failure the same is tried again this much later. */
const RETRY_MS = 5_000;

/** Hears of files that cannot be written: once when that begins, and once when they can be again. */
export interface DiskTrouble {
  failed(path: string, error: unknown): void;
  works(path: string): void;
}

/**
 * Writes one file beside the work, one write at a time, and never throws: what asks for it does not wait for the disk. A
 * write that fails is tried again until it works, and told of.
 */
export class InBackground {
  readonly #path: string;
  readonly #write: () => Promise<void>;
  readonly #trouble: DiskTrouble;
  #running: Promise<void> | null = null;
  #isWanted = false;
  #isFailing = false;
  #retry: NodeJS.Timeout | null = null;

  /** `write` brings the file to what it should be now. */
  constructor(path: string, write: () => Promise<void>, trouble: DiskTrouble) {
    this.#path = path;
    this.#write = write;
    this.#trouble = trouble;
  }

  /** Has the file written soon: once, however often it is asked for until then. */
  ask(): void {
    this.#isWanted = true;
    this.#running ??= this.#run().finally(() => (this.#running = null));
  }

  /** Has it written at once, whatever is waited for; resolves when that was tried, or `withinMs` have passed. */
  async flush(withinMs: number): Promise<void> {
    if (this.#retry) this.ask();
    const stop = new AbortController();
    await Promise.race([this.#running, sleep(withinMs, undefined, { signal: stop.signal }).catch(() => {})]);
    stop.abort();
  }

  /** Nothing is tried again from now on. */
  close(): void {
    if (this.#retry) clearTimeout(this.#retry);
    this.#retry = null;
  }

  async #run(): Promise<void> {
    while (this.#isWanted) {
      this.#isWanted = false;
      this.close();
      try {
        await this.#write();
        this.#told(null);
      } catch (error) {
        this.#retry = setTimeout(() => this.ask(), RETRY_MS).unref();
        this.#told(error ?? 'unknown');
      }
    }
  }

  #told(error: unknown): void {
    const wasFailing = this.#isFailing;
    this.#isFailing = error !== null;
    if (this.#isFailing && !wasFailing) this.#trouble.failed(this.#path, error);
    if (!this.#isFailing && wasFailing) this.#trouble.works(this.#path);
  }
}
