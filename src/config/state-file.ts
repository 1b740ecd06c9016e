import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import type { SavedDemand } from '../../machines/planning/demand.ts';

const WEIGHT_OF_NEWEST = 0.3;

const learnedSchema = z.object({ needBytes: z.number().nullable(), loadMs: z.number().nullable() });
const demandSchema = z.record(z.string(), z.array(z.number().nonnegative()));
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

  /** How often each model is asked for, by the gaps between its requests. */
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
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return NOTHING; // nothing has been learned yet
  }
  try {
    return fileSchema.parse(JSON.parse(text));
  } catch {
    const aside = `${path}.damaged`;
    renameSync(path, aside);
    onNote(`${path} could not be read and was put aside as ${aside}; loads are learned anew.`);
    return NOTHING;
  }
}
