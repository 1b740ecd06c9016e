import { write, writeSync } from 'node:fs';
import { openNonBlocking, type Opened } from './open-non-blocking.ts';

/** Characters that wait for a reader or a disk; texts beyond are left out rather than kept without bound. */
const MOST_WAITING = 8 * 1024 ** 2;
/** Characters that are worth a write of their own. */
const ENOUGH = 4_096;
/** Characters that are made bytes at once, and bytes that are written before other work has its turn. */
const BATCH = 64 * 1024;
const MOST_AT_ONCE = 1024 ** 2;
/** A reader who is behind is tried again soon, then less often. */
const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 100;
/** A disk that is full, a terminal that has gone. */
const FAILED_PAUSE_MS = 1_000;
/** So long, at most, does the process wait at its end for a reader who is behind. */
const LAST_WORDS_MS = 500;
const LAST_PAUSE_MS = 10;

export interface OutputOptions {
  /** Texts are held for so long, until there are enough for a write. */
  readonly holdMs?: number;
  /** How many texts were left out, told as soon as there is room again. */
  readonly onLeftOut?: (count: number) => void;
}

/**
 * Writes to standard output or standard error, and waits for nobody who reads there: no paused terminal, no full pipe, no full disk. What
 * cannot be written yet is kept in order, up to a bound; what is beyond is left out and counted.
 */
export class UnblockedOutput {
  readonly #opened: Opened;
  readonly #holdMs: number;
  readonly #onLeftOut: (count: number) => void;
  #waiting: string[] = [];
  #waitingLength = 0;
  /** What is being written: bytes of `#waiting` that have been taken out of it. */
  #batch: Buffer | null = null;
  #leftOut = 0;
  #pauseMs = FIRST_PAUSE_MS;
  #timer: NodeJS.Timeout | null = null;
  /** The last write has failed, or has not ended yet: no text is a reason to try earlier. */
  #isBehind = false;

  constructor(fd: 1 | 2, { holdMs = 0, onLeftOut = () => {} }: OutputOptions = {}) {
    this.#opened = openNonBlocking(fd);
    this.#holdMs = holdMs;
    this.#onLeftOut = onLeftOut;
  }

  write(text: string): void {
    // Once texts are left out, half of the room has to come free, so that the count is told once and not with each text.
    const most = this.#leftOut > 0 ? MOST_WAITING / 2 : MOST_WAITING;
    if (this.#waitingLength + text.length > most) {
      this.#leftOut++;
      return;
    }
    this.#tellLeftOut();
    this.#waiting.push(text);
    this.#waitingLength += text.length;
    if (this.#isBehind) return;
    if (this.#waitingLength >= ENOUGH) this.#flush();
    else this.#timer ??= setTimeout(this.#flush, this.#holdMs).unref();
  }

  /** For the end of the process: writes what is waiting, as far as it is taken within half a second. */
  finish(): void {
    // Its write is on its way, and ends before the process does.
    if (this.#isBehind && !this.#opened.isNonBlocking) this.#batch = null;
    const endMs = performance.now() + LAST_WORDS_MS;
    for (let batch = this.#next(); batch; batch = this.#next())
      try {
        this.#took(writeSync(this.#opened.fd, batch));
      } catch (error) {
        if (codeOf(error) !== 'EAGAIN' || performance.now() > endMs) return;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LAST_PAUSE_MS);
      }
  }

  readonly #flush = (): void => {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#opened.isNonBlocking) this.#writeNow();
    else this.#writeAside();
  };

  #writeNow(): void {
    this.#isBehind = false;
    try {
      for (let written = 0; written < MOST_AT_ONCE;) {
        const batch = this.#next();
        if (!batch) return;
        written += this.#took(writeSync(this.#opened.fd, batch));
      }
      this.#later(0);
    } catch (error) {
      this.#failed(error);
    }
  }

  /** A file may be on a disk that takes long: another thread waits for it. */
  #writeAside(): void {
    this.#isBehind = true;
    const batch = this.#next();
    if (!batch) {
      this.#isBehind = false;
      return;
    }
    write(this.#opened.fd, batch, (error, bytes) => {
      if (error) return this.#failed(error);
      this.#took(bytes);
      this.#writeAside();
    });
  }

  /** The bytes that come next; null when everything has been written. */
  #next(): Buffer | null {
    if (this.#batch) return this.#batch;
    if (this.#waiting.length === 0) this.#tellLeftOut();
    if (this.#waiting.length === 0) return null;
    let length = 0;
    let count = 0;
    while (count < this.#waiting.length && length < BATCH) length += this.#waiting[count++]?.length ?? 0;
    const texts = this.#waiting.splice(0, count);
    this.#waitingLength -= length;
    return (this.#batch = Buffer.from(texts.join('')));
  }

  #took(bytes: number): number {
    const rest = this.#batch?.subarray(bytes);
    this.#batch = rest && rest.length > 0 ? rest : null;
    this.#pauseMs = FIRST_PAUSE_MS;
    return bytes;
  }

  #failed(error: unknown): void {
    if (codeOf(error) === 'EPIPE') this.#forget();
    if (codeOf(error) === 'EAGAIN') {
      this.#later(this.#pauseMs);
      this.#pauseMs = Math.min(2 * this.#pauseMs, LONGEST_PAUSE_MS);
    } else this.#later(FAILED_PAUSE_MS);
  }

  /** What is kept would never be read. */
  #forget(): void {
    this.#waiting = [];
    this.#waitingLength = 0;
    this.#batch = null;
  }

  #later(ms: number): void {
    this.#isBehind = true;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#flush, ms).unref();
  }

  #tellLeftOut(): void {
    if (this.#leftOut === 0) return;
    const count = this.#leftOut;
    this.#leftOut = 0;
    this.#onLeftOut(count);
  }
}

/** `EAGAIN`: the reader has no room at the moment; `EPIPE`: there is no reader any more. */
const codeOf = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : undefined;
