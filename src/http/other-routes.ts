import type { IncomingMessage, ServerResponse } from 'node:http';
import { loading, type Needs } from '../auth/scopes.ts';
import { llamaServer, openai, type Family } from './families.ts';
import type { Place } from './receive-call.ts';

/** What other servers of models are asked besides inference. */
export type OtherQuestion =
  | 'props'
  | 'load'
  | 'unload'
  | 'unload-all'
  | 'running'
  | 'logs'
  | 'log-stream'
  | 'events'
  | 'router-events'
  | 'lm-studio-models';

/** Answers one. `rest` is what follows the beginning of a path, or empty. */
export type Others = (
  question: OtherQuestion,
  request: IncomingMessage,
  response: ServerResponse,
  at: { readonly place: Place; readonly rest: string },
) => void;

export interface OtherRoute {
  readonly question: OtherQuestion;
  readonly methods: readonly string[];
  readonly needs: Needs;
  readonly family: Family;
}

const READ = ['GET', 'HEAD'];
const sees: Needs = ['inference', 'read'];

const route = (
  question: OtherQuestion,
  methods: readonly string[],
  needs: Needs,
  family: Family = openai,
): OtherRoute => ({ question, methods, needs, family });

/** By path. What unloads does so whoever uses a model, and undoes pins: that is managing. */
export const otherRoutes: Readonly<Record<string, OtherRoute>> = {
  // Of llama.cpp's router.
  '/models/load': route('load', ['POST'], loading, llamaServer),
  '/models/unload': route('unload', ['POST'], ['manage'], llamaServer),
  '/models/sse': route('router-events', READ, sees, llamaServer),
  // Of llama-swap. A HEAD must not unload anything.
  '/running': route('running', READ, sees),
  '/unload': route('unload-all', ['GET', 'POST'], ['manage']),
  '/api/models/unload': route('unload-all', ['POST'], ['manage']),
  '/logs': route('logs', READ, ['read']),
  '/logs/stream': route('log-stream', READ, ['read']),
  '/api/events': route('events', READ, ['read']),
  // Of LM Studio.
  '/api/v0/models': route('lm-studio-models', READ, sees),
};

/** By the beginning of a path, where a model's name follows. */
export const otherPrefixes: Readonly<Record<string, OtherRoute>> = {
  '/api/models/unload/': route('unload', ['POST'], ['manage']),
  '/logs/stream/': route('log-stream', READ, ['read']),
  '/api/v0/models/': route('lm-studio-models', READ, sees),
};

/** What llama.cpp's router says of itself where no model is named; for a key that may look at one. */
export const routerProps: OtherRoute = route('props', READ, sees, llamaServer);
