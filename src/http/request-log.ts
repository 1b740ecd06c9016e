import type { Logger } from 'pino';
import type { BodyCapture } from './body-capture.ts';
import type { Usage } from './reply-usage.ts';

/** How a proxied request ended. */
export type Outcome =
  | 'ok'
  | 'client-gone'
  | 'upstream-lost'
  | 'refused'
  /** A look at a model that is not loaded, as whoever collects metrics takes time and again: nothing was refused. */
  | 'not-loaded';

/** What is noted of a proxied request: sizes, times and names, never a body, a prompt or a key. */
export interface RequestEntry {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** The name of the key that was shown; null where none is asked for. */
  readonly caller: string | null;
  model: string | null;
  stream: boolean;
  runnerId: string | null;
  /** Sums over all leases, in whole milliseconds. */
  waitMs: number;
  loadMs: number;
  /** From the request's arrival to the runner's first response byte; null if there was none. */
  firstByteMs: number | null;
  requestBytes: number;
  /** Of the reply's body, whether a runner's or Corral's own. */
  replyBytes: number;
  attempts: number;
  outcome: Outcome;
}

/** An entry at a request's arrival. */
export const newEntry = (method: string, path: string, caller: string | null): RequestEntry => ({
  method,
  path,
  caller,
  model: null,
  stream: false,
  runnerId: null,
  waitMs: 0,
  loadMs: 0,
  firstByteMs: null,
  requestBytes: 0,
  replyBytes: 0,
  attempts: 0,
  outcome: 'refused',
});

/** What is known of a request only at its end. */
export interface RequestEnd {
  readonly status: number;
  readonly durationMs: number;
  /** Which family of APIs was spoken: `openai`, `ollama`. */
  readonly api: string;
  /** Absent where no runner replied. */
  readonly usage?: Usage;
}

/** Told of each proxied request, once, at its end. */
export type OnRequestEnd = (entry: RequestEntry, end: RequestEnd, capture?: BodyCapture | null) => void;

/**
 * Writes the one line of a proxied request, at its end. A lost runner, or a reply of 500 and above, is a warning; a look
 * at nothing is told to who wants all.
 */
export const logRequest = (log: Logger, entry: RequestEntry, end: RequestEnd): void => {
  const { usage, ...rest } = end;
  const line = { event: 'request.ended', ...entry, ...rest, ...usage };
  if (entry.outcome === 'not-loaded') log.debug(line);
  else if (entry.outcome === 'upstream-lost' || end.status >= 500) log.warn(line);
  else log.info(line);
};
