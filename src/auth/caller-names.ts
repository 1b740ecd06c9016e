import type { IncomingMessage } from 'node:http';

const names = new WeakMap<IncomingMessage, string>();

/** Notes the name of the key that a request has shown, for the logs. */
export const noteCaller = (request: IncomingMessage, name: string): void => void names.set(request, name);

/** That name; null where no key was asked for. */
export const callerOf = (request: IncomingMessage): string | null => names.get(request) ?? null;
