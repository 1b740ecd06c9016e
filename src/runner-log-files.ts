import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { createStream, type RotatingFileStream } from 'rotating-file-stream';
import type { RunnerLogs } from '../actors/process/runner-logs.ts';
import type { RunnerId } from '../machines/vocabulary.ts';
import type { Config } from './config/schema.ts';
import { runnerLogName } from './runner-log-name.ts';
import { ledgerOf, type Scheduler } from './ledger-of.ts';

/** What may wait for a slow disk, per model; lines beyond that are left out. */
const MOST_WAITING_BYTES = 1024 ** 2;

interface Open {
  readonly stream: RotatingFileStream;
  readonly runners: Set<RunnerId>;
}

/**
 * Writes what runners print into files, one per model: `tiny.log`, with `tiny.1.log` and so on before it. Bounded in the size of a file,
 * in files per model, and in all files together. A disk that is full or slow loses lines and delays nobody.
 */
export class RunnerLogFiles {
  readonly #folder: string;
  readonly #bounds: Config['runnerLogs'];
  readonly #log: Logger;
  readonly #open = new Map<string, Open>();
  readonly #following: { unsubscribe(): void }[] = [];

  constructor(folder: string, bounds: Config['runnerLogs'], log: Logger) {
    this.#folder = folder;
    this.#bounds = bounds;
    this.#log = log;
  }

  /** Writes down whatever the runners of a scheduler print from now on. */
  follow(scheduler: Scheduler, logs: Pick<RunnerLogs, 'subscribe'>): void {
    if (!this.#bounds.write) return;
    const { runners } = ledgerOf(scheduler);
    for (const { id, spec } of runners.values()) this.#begin(spec.name, id, logs);
    this.#following.push(
      scheduler.on('decision', ({ record: { kind, model, runnerId } }) => {
        if (kind === 'load' && runnerId !== null) this.#begin(model, runnerId, logs);
      }),
      scheduler.on('runner.changed', ({ runnerId }) => {
        const state = runners.get(runnerId)?.state;
        if (state === undefined || state === 'gone' || state === 'failed')
          for (const open of this.#open.values()) open.runners.delete(runnerId);
      }),
    );
  }

  /** Closes all files; resolves once everything is written. */
  async close(): Promise<void> {
    for (const subscription of this.#following) subscription.unsubscribe();
    const streams = [...this.#open.values()].map(({ stream }) => stream);
    this.#open.clear();
    await Promise.all(
      streams.map((stream) => new Promise<void>((resolve) => void stream.end(() => resolve()))),
    );
  }

  #begin(model: string, runnerId: RunnerId, logs: Pick<RunnerLogs, 'subscribe'>): void {
    const { runners } = this.#open.get(model) ?? this.#create(model);
    runners.add(runnerId);
    logs.subscribe(runnerId, (line) => {
      const stream = this.#open.get(model)?.stream;
      if (stream && stream.writableLength <= MOST_WAITING_BYTES)
        stream.write(`${new Date().toISOString()} ${runnerId} ${line}\n`);
    });
  }

  #create(model: string): Open {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    this.#trim();
    const name = runnerLogName(model);
    const stream = createStream(
      (index) => (index === null ? `${name}.log` : `${name}.${Number(index)}.log`),
      { path: this.#folder, size: `${this.#bounds.size}B`, rotate: this.#bounds.keep, mode: 0o600 },
    );
    let isTold = false;
    stream.on('error', (err) => {
      if (!isTold)
        this.#log.warn({ event: 'runner-log.failed', model, err }, 'what it prints is not written down');
      isTold = true;
    });
    stream.on('rotated', () => this.#trim());
    const open = { stream, runners: new Set<RunnerId>() };
    this.#open.set(model, open);
    return open;
  }

  /** Removes the oldest files beyond the total; those of models that are loaded stay. */
  #trim(): void {
    const models = new Map([...this.#open.keys()].map((model) => [`${runnerLogName(model)}.log`, model]));
    const files = readdirSync(this.#folder)
      .flatMap((name) => {
        const path = join(this.#folder, name);
        const seen = statSync(path, { throwIfNoEntry: false });
        return seen ? [{ name, path, bytes: seen.size, atMs: seen.mtimeMs }] : [];
      })
      .toSorted((a, b) => a.atMs - b.atMs);
    let bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    for (const file of files) {
      if (bytes <= this.#bounds.total) return;
      const model = models.get(file.name) ?? '';
      const open = this.#open.get(model);
      if (open && open.runners.size > 0) continue;
      open?.stream.end();
      this.#open.delete(model);
      rmSync(file.path, { force: true });
      bytes -= file.bytes;
    }
  }
}
