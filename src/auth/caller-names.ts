import type { IncomingMessage } from 'node:http';
import type { Priority } from '../../machines/vocabulary.ts';
import type { KnownKey } from './keyring.ts';

/** Where the requests of a key stand in line. */
export interface Standing {
  /** What they have unless they ask for less; null for what the model has. */
  readonly priority: Priority | null;
}

const callers = new WeakMap<IncomingMessage, KnownKey>();

/** Notes the key that a request has shown, for the logs and for the line. */
export const noteCaller = (request: IncomingMessage, key: KnownKey): void => void callers.set(request, key);

/** The name of that key; null where no key was asked for. */
export const callerOf = (request: IncomingMessage): string | null => callers.get(request)?.name ?? null;

/** Null for who may go wherever it likes: no key was asked for, or it is one that manages. */
export const standingOf = (request: IncomingMessage): Standing | null => {
  const key = callers.get(request);
  return !key || key.scopes.includes('manage') ? null : { priority: key.priority };
};
