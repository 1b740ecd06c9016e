import { z } from 'zod';
import type { DiskTrouble } from '../../actors/disk/in-background.ts';
import { putAside, readState } from '../../actors/disk/read-state.ts';
import { RememberedFile } from '../../actors/disk/remembered-file.ts';
import type { SavedDemand } from '../../machines/planning/habits.ts';
import { savedDemandSchema } from './saved-demand.ts';

const WEIGHT_OF_NEWEST = 0.3;

const amount = z.number().nonnegative().max(Number.MAX_SAFE_INTEGER).nullable();
const learnedSchema = z.object({ needBytes: amount, loadMs: amount, hostBytes: amount.optional() });
const demandSchema = z.record(z.string(), savedDemandSchema);
const fileSchema = z.object({
  version: z.literal(1),
  classes: z.record(z.string(), learnedSchema),
  demand: demandSchema.default({}),
});

/** What loads of a model class have taught. */
export type LearnedValues = z.infer<typeof learnedSchema>;

export interface StateParts {
  readonly trouble: DiskTrouble;
  /** Told when a file of another shape was put aside. */
  readonly onNote: (note: string) => void;
}

/**
 * Learned values on disk, so that they survive a restart. A file that cannot be read is put aside, not lost; one that cannot be
 * written costs what was learned, and nothing else.
 */
export class StateFile {
  readonly #file: RememberedFile;
  readonly #classes: Map<string, LearnedValues>;
  #demand: Readonly<Record<string, SavedDemand>>;

  constructor(path: string, { trouble, onNote }: StateParts) {
    this.#file = new RememberedFile(path, trouble);
    const { classes, demand } = read(path, (reason) => putAside(path, reason, onNote));
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
  learn(classKey: string, { needBytes, loadMs, hostBytes }: LearnedValues): void {
    const known = this.#classes.get(classKey);
    const before = known?.loadMs ?? loadMs;
    const averageMs =
      loadMs === null || before === null ? before : before + WEIGHT_OF_NEWEST * (loadMs - before);
    const host = hostBytes ?? known?.hostBytes ?? null;
    this.#classes.set(classKey, {
      needBytes: needBytes ?? known?.needBytes ?? null,
      loadMs: averageMs,
      ...(host !== null && { hostBytes: host }),
    });
    this.#save();
  }

  /** Resolves when what is known now has been written, could not be, or `withinMs` have passed. */
  flush(withinMs: number): Promise<void> {
    return this.#file.flush(withinMs);
  }

  #save(): void {
    const classes = Object.fromEntries(this.#classes);
    this.#file.write(JSON.stringify({ version: 1, classes, demand: this.#demand }, null, 1));
  }
}

/** What was learned, for who only looks: nothing is put aside, nothing written. */
export function readLearned(path: string): Pick<StateFile, 'of'> {
  const { classes } = read(path, () => {});
  return { of: (classKey) => (Object.hasOwn(classes, classKey) ? classes[classKey] : undefined) };
}

type StateData = Pick<z.infer<typeof fileSchema>, 'classes' | 'demand'>;

const read = (path: string, onOdd: (reason: string) => void): StateData =>
  readState(path, fileSchema, onOdd) ?? { classes: {}, demand: {} };
