import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import type { SavedDemand } from '../../machines/planning/habits.ts';
import { readFileText } from '../files/read-file.ts';
import { isMissing, systemReason } from '../system-reason.ts';
import { savedDemandSchema } from './saved-demand.ts';

const WEIGHT_OF_NEWEST = 0.3;

/** Some thousands of models; what is larger was not written by Corral. */
const LONGEST_BYTES = 16 * 1024 ** 2;

const amount = z.number().nonnegative().max(Number.MAX_SAFE_INTEGER).nullable();
const learnedSchema = z.object({ needBytes: amount, loadMs: amount });
const demandSchema = z.record(z.string(), savedDemandSchema);
const fileSchema = z.object({
  version: z.literal(1),
  classes: z.record(z.string(), learnedSchema),
  demand: demandSchema.default({}),
});

/** What loads of a model class have taught. */
export type LearnedValues = z.infer<typeof learnedSchema>;

/** Learned values on disk, so that they survive a restart. A file that cannot be read is put aside, not lost. */
export class StateFile {
  readonly #path: string;
  readonly #classes: Map<string, LearnedValues>;
  #demand: Readonly<Record<string, SavedDemand>>;

  /** `onNote` is told when a damaged file was put aside. */
  constructor(path: string, onNote: (note: string) => void = () => {}) {
    this.#path = path;
    const { classes, demand } = read(path, onNote);
    this.#classes = new Map(Object.entries(classes));
    this.#demand = demand;
  }

  /** How each model is used: how often it is asked for, by how many, and how long that takes. */
  get demand(): Readonly<Record<string, SavedDemand>> {
    return this.#demand;
  }

  /** Keeps what is known of demand now; a model that is not in it any more is forgotten. */
  learnDemand(demand: Readonly<Record<string, SavedDemand>>): void {
    this.#demand = demand;
    this.#save();
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
    const classes = Object.fromEntries(this.#classes);
    writeFileSync(draft, JSON.stringify({ version: 1, classes, demand: this.#demand }, null, 1));
    renameSync(draft, this.#path);
  }
}

type StateData = Pick<z.infer<typeof fileSchema>, 'classes' | 'demand'>;

const NOTHING: StateData = { classes: {}, demand: {} };

function read(path: string, onNote: (note: string) => void): StateData {
  try {
    return fileSchema.parse(JSON.parse(readFileText(path, LONGEST_BYTES)));
  } catch (error) {
    if (!isMissing(error)) putAside(path, onNote);
    return NOTHING; // nothing has been learned yet
  }
}

function putAside(path: string, onNote: (note: string) => void): void {
  const aside = `${path}.damaged`;
  try {
    renameSync(path, aside);
    onNote(`${path} could not be read and was put aside as ${aside}; loads are learned anew.`);
  } catch (error) {
    onNote(`${path} can neither be read nor put aside (${systemReason(error)}); loads are learned anew.`);
  }
}
