import { extname } from 'node:path';
import { badRequest, RequestError } from '../openai-errors.ts';
import { translate, type Jobs, type Kind, type Translated, type Translations } from './translate.ts';
import { Thread } from './thread.ts';

/** Bodies up to this are translated where they arrive: that takes a few milliseconds, however they are made. */
const SHORT_BYTES = 64 * 1024;
const MOST_THREADS = 2;
/** A thread without work ends after so long. */
const IDLE_MS = 60_000;
/** Far above what a million values take, which is the most that a body may have. */
const MOST_HEAP_MIB = 1_024;

/** A body in line for a thread. */
interface Waiting {
  readonly start: (thread: Thread) => void;
  readonly refuse: (reason: Error) => void;
}

/**
 * Translates bodies such that nobody else waits for it: long ones in threads of their own, which are started when one comes and
 * end when none has come for a minute. What waits for a thread is bounded by what all requests may hold.
 */
export class Translator {
  readonly #free: Thread[] = [];
  readonly #busy = new Set<Thread>();
  readonly #waiting: Waiting[] = [];
  #isClosed = false;

  /** Takes `json` away from who gives it. Rejects with a `RequestError` for a body that cannot be read. */
  async run<K extends Kind>(kind: K, job: Jobs[K]): Promise<Translations[K]> {
    const isShort = job.json.byteLength <= SHORT_BYTES;
    const translated = isShort ? translate(kind, job) : await this.#runAside(kind, job);
    if ('problem' in translated) throw new RequestError(translated.problem);
    return translated.value;
  }

  /** Ends its threads; what they are doing is given up. */
  close(): void {
    this.#isClosed = true;
    for (const { refuse } of this.#waiting.splice(0)) refuse(new Error('the translator is closed'));
    for (const thread of [...this.#free.splice(0), ...this.#busy]) thread.end();
  }

  async #runAside<K extends Kind>(kind: K, job: Jobs[K]): Promise<Translated<K>> {
    const thread = await this.#take();
    try {
      return (await thread.run({ kind, job }, [job.json.buffer as ArrayBuffer])) as Translated<K>;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY')
        throw tooMuch();
      throw error;
    } finally {
      this.#give(thread);
    }
  }

  #take(): Promise<Thread> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) return reject(new Error('the translator is closed'));
      const start = (thread: Thread): void => {
        this.#busy.add(thread);
        resolve(thread);
      };
      const free = this.#free.pop();
      if (free) start(free);
      else if (this.#busy.size < MOST_THREADS) start(this.#newThread());
      else this.#waiting.push({ start, refuse: reject });
    });
  }

  #newThread(): Thread {
    return new Thread(new URL(`./translation-thread${extname(import.meta.url)}`, import.meta.url), {
      mostHeapMib: MOST_HEAP_MIB,
      idleMs: IDLE_MS,
      onEnd: (thread) => {
        const at = this.#free.indexOf(thread);
        if (at >= 0) this.#free.splice(at, 1);
      },
    });
  }

  #give(thread: Thread): void {
    this.#busy.delete(thread);
    const next = this.#waiting.shift();
    if (next) next.start(thread.hasEnded ? this.#newThread() : thread);
    else if (!thread.hasEnded) this.#free.push(thread);
  }
}

const tooMuch = (): RequestError =>
  new RequestError(
    badRequest('reading this takes more memory than there is for it; send it in parts', 'request_too_large', {
      status: 413,
    }),
  );
