import { signal, type ReadonlySignal } from '@preact/signals';
import { runInWorker, type Answer, type Question } from './run-in-worker.ts';

/** What was played last, or is being played. */
export interface Played extends Question {
  /** Null while it is played. */
  readonly answer: Answer | null;
  /** Why there is no answer; null when there is, or will be. */
  readonly failure: string | null;
}

const last = signal<Played | null>(null);
export const played: ReadonlySignal<Played | null> = last;
let stopper = new AbortController();

/** Plays a scenario; one that is still being played is stopped. */
export async function play(question: Question): Promise<void> {
  stop();
  const { signal: stopped } = (stopper = new AbortController());
  last.value = { ...question, answer: null, failure: null };
  try {
    const answer = await runInWorker(question, stopped);
    last.value = { ...question, answer, failure: null };
  } catch (error) {
    const failure = error instanceof Error ? error.message : String(error);
    if (last.value.text === question.text && last.value.answer === null)
      last.value = { ...question, answer: null, failure };
  }
}

/** Ends what is being played. */
export const stop = (): void => stopper.abort();
