import { rmSync } from 'node:fs';
import { InBackground, type DiskTrouble } from './in-background.ts';
import { writeWhole } from './private-files.ts';

/** A file that holds the latest of a value, written beside the work. Of values that come quickly only the last is written. */
export class RememberedFile {
  readonly #path: string;
  readonly #writing: InBackground;
  #text = '';

  constructor(path: string, trouble: DiskTrouble) {
    this.#path = path;
    this.#writing = new InBackground(path, () => writeWhole(path, this.#text), trouble);
  }

  write(text: string): void {
    this.#text = text;
    this.#writing.ask();
  }

  /** Resolves when the latest value has been written, could not be, or `withinMs` have passed. */
  flush(withinMs: number): Promise<void> {
    return this.#writing.flush(withinMs);
  }

  /** At once, and fit for an `exit` handler; a file that cannot be removed stays. */
  remove(): void {
    this.#writing.close();
    try {
      rmSync(this.#path, { force: true });
    } catch {
      // The disk is gone or read-only: what the file says is checked by whoever reads it.
    }
  }
}
