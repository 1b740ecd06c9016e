import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';

const WEIGHT_OF_NEWEST = 0.3;

const learnedSchema = z.object({ needBytes: z.number().nullable(), loadMs: z.number().nullable() });
const fileSchema = z.object({ version: z.literal(1), classes: z.record(z.string(), learnedSchema) });

/** What loads of a model class have taught. */
export type LearnedValues = z.infer<typeof learnedSchema>;

/** Learned values on disk, so that they survive a restart. A file that cannot be read is put aside, not lost. */
export class StateFile {
  readonly #path: string;
  readonly #classes: Map<string, LearnedValues>;

  /** `onNote` is told when a damaged file was put aside. */
  constructor(path: string, onNote: (note: string) => void = () => {}) {
    this.#path = path;
    this.#classes = new Map(Object.entries(read(path, onNote)));
  }

  of(classKey: string): LearnedValues | undefined {
    return this.#classes.get(classKey);
  }

  /** Needs are replaced by the newest; load times are averaged, the newest with weight 0.3. */
  learn(classKey: string, { needBytes, loadMs }: LearnedValues): void {
    const known = this.#classes.get(classKey);
    const before = known?.loadMs ?? loadMs;
    const averageMs =
      loadMs === null || before === null ? before : before + WEIGHT_OF_NEWEST * (loadMs - before);
    this.#classes.set(classKey, { needBytes: needBytes ?? known?.needBytes ?? null, loadMs: averageMs });
    this.#save();
  }

  #save(): void {
    mkdirSync(dirname(this.#path), { recursive: true });
    const draft = `${this.#path}.new`;
    writeFileSync(draft, JSON.stringify({ version: 1, classes: Object.fromEntries(this.#classes) }, null, 1));
    renameSync(draft, this.#path);
  }
}

function read(path: string, onNote: (note: string) => void): Record<string, LearnedValues> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return {}; // nothing has been learned yet
  }
  try {
    return fileSchema.parse(JSON.parse(text)).classes;
  } catch {
    const aside = `${path}.damaged`;
    renameSync(path, aside);
    onNote(`${path} could not be read and was put aside as ${aside}; loads are learned anew.`);
    return {};
  }
}
