import { z } from 'zod';
import type { DiskTrouble } from '../../actors/disk/in-background.ts';
import { putAside, readState } from '../../actors/disk/read-state.ts';
import { RememberedFile } from '../../actors/disk/remembered-file.ts';
import type { FitRow } from '../../machines/planning/fit-rows.ts';

/** The oldest are forgotten first. */
const MOST_ANSWERS = 2_000;

const bytes = z.number().nonnegative().max(Number.MAX_SAFE_INTEGER);
const rowSchema = z.object({
  device: z.string(),
  modelBytes: bytes,
  contextBytes: bytes,
  computeBytes: bytes,
});
const fileSchema = z.object({
  version: z.literal(1),
  answers: z.record(z.string(), z.array(rowSchema)),
});

/** What `llama-fit-params` has answered, by question. */
export interface FitAnswers {
  of(key: string): readonly FitRow[] | undefined;
}

/** The same on disk, so that a restart asks nothing twice. */
export class FitCache implements FitAnswers {
  readonly #file: RememberedFile;
  readonly #answers: Map<string, readonly FitRow[]>;

  constructor(path: string, { trouble, onNote }: { trouble: DiskTrouble; onNote: (note: string) => void }) {
    this.#file = new RememberedFile(path, trouble);
    this.#answers = read(path, (reason) => putAside(path, reason, onNote));
  }

  of(key: string): readonly FitRow[] | undefined {
    return this.#answers.get(key);
  }

  keep(key: string, rows: readonly FitRow[]): void {
    this.#answers.set(key, rows);
    for (const oldest of this.#answers.keys())
      if (this.#answers.size > MOST_ANSWERS) this.#answers.delete(oldest);
    this.#file.write(JSON.stringify({ version: 1, answers: Object.fromEntries(this.#answers) }));
  }

  flush(withinMs: number): Promise<void> {
    return this.#file.flush(withinMs);
  }
}

/** For who only looks: nothing is put aside, nothing written. */
export const readFitAnswers = (path: string): FitAnswers => {
  const answers = read(path, () => {});
  return { of: (key) => answers.get(key) };
};

const read = (path: string, onOdd: (reason: string) => void): Map<string, readonly FitRow[]> =>
  new Map(Object.entries(readState(path, fileSchema, onOdd)?.answers ?? {}));
