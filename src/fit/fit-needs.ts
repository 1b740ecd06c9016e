import type { FitRow } from '../../machines/planning/fit-rows.ts';
import type { CatalogueEntry } from '../catalogue.ts';
import type { FitQuestion } from './fit-question.ts';

export interface FitNeedsParts {
  readonly ask: (question: FitQuestion) => Promise<readonly FitRow[]>;
  /** What has been answered; kept by whoever asks. */
  readonly onAnswer: (entry: CatalogueEntry, question: FitQuestion, rows: readonly FitRow[]) => void;
  readonly onFailure: (entry: CatalogueEntry, error: unknown) => void;
}

/** Asks for the needs of models in the background, one after the other: nobody waits for it, and a question that failed is not asked again. */
export class FitNeeds {
  readonly #parts: FitNeedsParts;
  readonly #failed = new Set<string>();
  #waiting: CatalogueEntry[] = [];
  #isAsking = false;
  #hasEnded = false;

  constructor(parts: FitNeedsParts) {
    this.#parts = parts;
  }

  /** These models from now on; what was to be asked of others is not asked any more. */
  refine(entries: readonly CatalogueEntry[]): void {
    this.#waiting = entries.filter(({ question }) => question && !this.#failed.has(question.key));
    if (!this.#isAsking) void this.#askAll();
  }

  end(): void {
    this.#hasEnded = true;
    this.#waiting = [];
  }

  async #askAll(): Promise<void> {
    this.#isAsking = true;
    for (let entry = this.#waiting.shift(); entry; entry = this.#waiting.shift()) await this.#ask(entry);
    this.#isAsking = false;
  }

  async #ask(entry: CatalogueEntry): Promise<void> {
    const { question } = entry;
    if (!question) return;
    try {
      const rows = await this.#parts.ask(question);
      if (!this.#hasEnded) this.#parts.onAnswer(entry, question, rows);
    } catch (error) {
      this.#failed.add(question.key);
      if (!this.#hasEnded) this.#parts.onFailure(entry, error);
    }
  }
}
