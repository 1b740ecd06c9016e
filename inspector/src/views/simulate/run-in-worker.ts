import type { ConfigProblem, SimulationResult } from 'corral/simulation';

/** A scenario to be played. */
export interface Question {
  readonly text: string;
  /** For messages. */
  readonly name: string;
}

/** What came of it: under each policy; or what is wrong with the scenario. */
export type Answer =
  | { readonly about: string; readonly runs: readonly SimulationResult[] }
  | { readonly problems: readonly ConfigProblem[] };

/** Plays a scenario beside the page, which stays responsive. Rejects when it is stopped, or when the browser cannot do it. */
export function runInWorker(question: Question, signal: AbortSignal): Promise<Answer> {
  const worker = new Worker(new URL('./simulate.worker.ts', import.meta.url), { type: 'module' });
  return new Promise<Answer>((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<Answer>) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message || 'The simulation could not be started.'));
    signal.addEventListener('abort', () => reject(new Error('stopped')));
    worker.postMessage(question);
  }).finally(() => worker.terminate());
}
