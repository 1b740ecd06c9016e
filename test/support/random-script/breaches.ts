/** Promises that were broken. Listeners of an actor cannot throw to whoever plays a script, so they note here what they see. */
export class Breaches {
  readonly #all: string[] = [];

  check(isSo: boolean, what: string): void {
    if (!isSo) this.#all.push(what);
  }

  /** Throws the first, if there is one. */
  raise(): void {
    const [first] = this.#all;
    if (first !== undefined) throw new Error(first);
  }
}
