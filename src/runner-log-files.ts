import { lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { GrowingFile } from '../actors/disk/growing-file.ts';
import { InBackground, type DiskTrouble } from '../actors/disk/in-background.ts';
import type { RunnerLogs } from '../actors/process/runner-logs.ts';
import type { RunnerId } from '../machines/vocabulary.ts';
import type { Config } from './config/schema.ts';
import { runnerLogName } from './runner-log-name.ts';
import { ledgerOf, type Scheduler } from './ledger-of.ts';

/** A disk that takes nothing does not keep Corral from ending. */
const CLOSE_WITHIN_MS = 2_000;

interface Open {
  readonly file: GrowingFile;
  readonly runners: Set<RunnerId>;
}

/**
 * Writes what runners print into files, one per model: `tiny.log`, with `tiny.1.log` and so on before it. Bounded in the size of a file,
 * in files per model, and in all files together. A disk that is full, slow or gone loses lines and delays nobody.
 */
export class RunnerLogFiles {
  readonly #folder: string;
  readonly #bounds: Config['runnerLogs'];
  readonly #trouble: DiskTrouble;
  readonly #trimming: InBackground;
  readonly #open = new Map<string, Open>();
  readonly #following: { unsubscribe(): void }[] = [];

  constructor(folder: string, bounds: Config['runnerLogs'], trouble: DiskTrouble) {
    this.#folder = folder;
    this.#bounds = bounds;
    this.#trouble = trouble;
    this.#trimming = new InBackground(folder, () => this.#trim(), trouble);
  }

  /** Writes down whatever the runners of a scheduler print from now on. */
  follow(scheduler: Scheduler, logs: Pick<RunnerLogs, 'subscribe'>): void {
    if (!this.#bounds.write) return;
    for (const { id, spec } of ledgerOf(scheduler).runners.values()) this.#begin(spec.name, id, logs);
    this.#following.push(
      scheduler.on('decision', ({ record: { kind, model, runnerId } }) => {
        if (kind === 'load' && runnerId !== null) this.#begin(model, runnerId, logs);
      }),
      scheduler.on('runner.changed', ({ runnerId }) => {
        const state = ledgerOf(scheduler).runners.get(runnerId)?.state;
        if (state === undefined || state === 'gone' || state === 'failed')
          for (const open of this.#open.values()) open.runners.delete(runnerId);
      }),
    );
  }

  /** Resolves once everything is written, or the disk has had long enough for it. */
  async close(): Promise<void> {
    for (const subscription of this.#following) subscription.unsubscribe();
    const files = [...this.#open.values()].map(({ file }) => file);
    await Promise.all(files.map((file) => file.close(CLOSE_WITHIN_MS)));
    await this.#trimming.flush(CLOSE_WITHIN_MS);
    this.#trimming.close();
  }

  #begin(model: string, runnerId: RunnerId, logs: Pick<RunnerLogs, 'subscribe'>): void {
    const { file, runners } = this.#open.get(model) ?? this.#create(model);
    runners.add(runnerId);
    logs.subscribe(runnerId, (line) => file.add(`${new Date().toISOString()} ${runnerId} ${line}\n`));
    this.#trimming.ask();
  }

  #create(model: string): Open {
    const { size, keep } = this.#bounds;
    const file = new GrowingFile({
      folder: this.#folder,
      name: runnerLogName(model),
      size,
      keep,
      trouble: this.#trouble,
      onBegunAnew: () => this.#trimming.ask(),
    });
    const open = { file, runners: new Set<RunnerId>() };
    this.#open.set(model, open);
    return open;
  }

  /** Removes the oldest files beyond the total; those of models that are loaded stay. */
  async #trim(): Promise<void> {
    const loaded = new Set(
      [...this.#open].flatMap(([model, { runners }]) =>
        runners.size > 0 ? [`${runnerLogName(model)}.log`] : [],
      ),
    );
    const files = (await filesIn(this.#folder)).toSorted((a, b) => a.atMs - b.atMs);
    let bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    for (const file of files) {
      if (bytes <= this.#bounds.total) return;
      if (loaded.has(file.name)) continue;
      await rm(file.path, { force: true });
      bytes -= file.bytes;
    }
  }
}

interface Found {
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
  readonly atMs: number;
}

/** None where there is no such folder yet. */
async function filesIn(folder: string): Promise<readonly Found[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  });
  const found: Found[] = [];
  for (const name of names) {
    const path = join(folder, name);
    const seen = await lstat(path).catch(() => null);
    if (seen?.isFile()) found.push({ name, path, bytes: seen.size, atMs: seen.mtimeMs });
  }
  return found;
}
