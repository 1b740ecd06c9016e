/** Asks the sources of readings, each within a deadline, and tells of the first failure in a row and of its end. */
export class Sources {
  readonly #onNote: (note: string) => void;
  readonly #failing = new Set<string>();

  constructor(onNote: (note: string) => void) {
    this.#onNote = onNote;
  }

  /** The answer, or null when the source failed or was late. A late answer is dropped. */
  async ask<T>(source: string, withinMs: number, question: () => Promise<T>): Promise<T | null> {
    try {
      const answer = await within(withinMs, question());
      if (this.#failing.delete(source)) this.#onNote(`${source} answers again`);
      return answer;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (!this.#failing.has(source)) this.#onNote(`${source} failed: ${reason}`);
      this.#failing.add(source);
      return null;
    }
  }
}

async function within<T>(ms: number, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
