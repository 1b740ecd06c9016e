import { MODEL_NAME } from './model-names.ts';

/** The names of models that are found, given to the first who asks, without regard to case. */
export class FreeNames {
  readonly #taken: Set<string>;
  /** A line for each file whose name cannot be a model's. */
  readonly warnings: string[] = [];

  constructor(taken: Iterable<string>) {
    this.#taken = new Set([...taken].map((name) => name.toLowerCase()));
  }

  isFree(name: string): boolean {
    return !this.#taken.has(name.toLowerCase());
  }

  /** Whether a file may have this name, which is taken from then on. */
  take(name: string, path: string): boolean {
    if (!MODEL_NAME.test(name)) {
      this.warnings.push(
        `${JSON.stringify(path)} is left out: ${JSON.stringify(name)} cannot be a model's name`,
      );
      return false;
    }
    const key = name.toLowerCase();
    if (this.#taken.has(key)) return false;
    this.#taken.add(key);
    return true;
  }
}
