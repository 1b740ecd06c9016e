import type { ServerResponse } from 'node:http';
import type { Arguments } from './arguments.ts';
import type { Engine } from './engine.ts';

/** One request: what it says, where the answer goes, and a signal that the client has left. */
export interface Call {
  readonly engine: Engine;
  readonly args: Arguments;
  readonly body: Readonly<Record<string, unknown>>;
  readonly response: ServerResponse;
  readonly signal: AbortSignal;
}
