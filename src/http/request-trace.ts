import type { IncomingMessage } from 'node:http';
import type { Lease } from '../lease.ts';
import type { RequestEnd, RequestEntry } from './request-log.ts';

/** Is told a request's stages as they happen, where requests are traced. */
export interface RequestTrace {
  /** It begins to wait for a runner, again after a lost one. */
  waiting(): void;
  /** It has one, and is sent there. */
  forwarding(lease: Lease): void;
  /** What the runner is to know of the trace: `traceparent`, `tracestate`. */
  readonly headers: Readonly<Record<string, string>>;
  /** The runner's part is over: how, in a word. */
  forwarded(how: string): void;
  ended(entry: RequestEntry, end: RequestEnd): void;
}

/** Begins to trace a request that has just arrived. */
export type BeginTrace = (request: IncomingMessage, path: string) => RequestTrace;
