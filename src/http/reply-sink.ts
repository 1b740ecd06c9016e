import type { IncomingHttpHeaders } from 'node:http';
import type { HttpProblem } from './openai-errors.ts';

/** A runner's reply on its way to the client: `start`, then `data`, then either `end` or `cut`. */
export interface ReplySink {
  /** Gives the client nothing before `end` or `cut`: if the runner is lost before that, another one may be tried. */
  readonly tellsAtEnd?: true;
  start(status: number, headers: IncomingHttpHeaders, statusText?: string): void;
  /** False holds the runner up until the client's connection drains. */
  data(chunk: Buffer): boolean;
  /** The reply is complete. */
  end(): void;
  /** The rest will never come: ends what was sent so that nobody takes it for a whole reply. */
  cut(problem: HttpProblem): void;
}
