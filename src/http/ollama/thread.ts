import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { Worker, type Transferable } from 'node:worker_threads';

interface ThreadOptions {
  readonly mostHeapMib: number;
  /** Without work for so long, it ends. */
  readonly idleMs: number;
  readonly onEnd: (thread: Thread) => void;
}

/** A thread that does one job at a time. It keeps no process alive while it has none. */
export class Thread {
  readonly #worker: Worker;
  readonly #idleMs: number;
  #idle: NodeJS.Timeout | null = null;
  #settle: ((error: Error | null, result?: unknown) => void) | null = null;
  #hasEnded = false;

  constructor(module: URL, { mostHeapMib, idleMs, onEnd }: ThreadOptions) {
    this.#idleMs = idleMs;
    this.#worker = new Worker(startable(module), { resourceLimits: { maxOldGenerationSizeMb: mostHeapMib } });
    this.#worker.unref();
    this.#worker
      .on('message', (result: unknown) => this.#finish(null, result))
      .on('error', (error) => this.#finish(error))
      .on('exit', (code) => {
        this.#hasEnded = true;
        this.#finish(new Error(`the thread has ended with ${code}`));
        onEnd(this);
      });
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Rejects when the thread ends before the job has, with what it threw. `moved` is no longer the caller's. */
  run(job: unknown, moved: readonly Transferable[]): Promise<unknown> {
    if (this.#idle) clearTimeout(this.#idle);
    this.#worker.ref();
    return new Promise((resolve, reject) => {
      this.#settle = (error, result) => (error ? reject(error) : resolve(result));
      this.#worker.postMessage(job, moved);
    });
  }

  end(): void {
    this.#hasEnded = true;
    if (this.#idle) clearTimeout(this.#idle);
    void this.#worker.terminate();
  }

  #finish(error: Error | null, result?: unknown): void {
    if (error) this.#hasEnded = true;
    else {
      this.#worker.unref();
      this.#idle = setTimeout(() => this.end(), this.#idleMs).unref();
    }
    this.#settle?.(error, result);
    this.#settle = null;
  }
}

/** Threads know nothing of the loader that has a process run from its TypeScript. */
const startable = (module: URL): URL => {
  if (!module.pathname.endsWith('.ts')) return module;
  const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx/package.json'));
  const { href } = new URL('dist/esm/api/index.mjs', loader);
  const source = `import { register } from ${JSON.stringify(href)}; register(); await import(${JSON.stringify(module.href)});`;
  return new URL(`data:text/javascript,${encodeURIComponent(source)}`);
};
