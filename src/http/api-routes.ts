import type { Scope } from '../auth/scopes.ts';
import { anthropic, llamaServer, openai, responses, type Family } from './families.ts';

/** Where a request says which model it is for. */
export type ModelPlace =
  /** The member `model` of a JSON body. */
  | 'body'
  /** The part `model` of a form. */
  | 'form'
  /** As `body`, else `?model=`, else the only model there is. */
  | 'body-or-query'
  /** `?model=`, else the only model there is. */
  | 'query'
  /** A body of JSON or a form, else `?model=`, else a model that serves the path. */
  | 'anywhere'
  /** The path, which was read by the router. */
  | 'path';

/** What is known of a path that runners answer. */
export interface ApiRoute {
  readonly methods: readonly string[];
  /** One of these is asked of a key. */
  readonly needs: readonly Scope[];
  readonly family: Family;
  readonly modelIn: ModelPlace;
  /** With `"stream": true` the reply is a stream of server-sent events. */
  readonly streams: boolean;
  /** Answered by a loaded runner beside its slots, and never a reason to load: for looking at what runs. */
  readonly isLook: boolean;
  /** The path at the runner, where it is another one. */
  readonly runnerPath?: string;
}

const POST = ['POST'];
const GET = ['GET', 'HEAD'];

const inference = (family: Family, modelIn: ModelPlace, streams: boolean): ApiRoute => ({
  methods: POST,
  needs: ['inference'],
  family,
  modelIn,
  streams,
  isLook: false,
});

const generating = inference(openai, 'body', true);
const computing = inference(openai, 'body', false);
const ownGenerating = inference(llamaServer, 'body-or-query', true);
const ownComputing = inference(llamaServer, 'body-or-query', false);
const look = (...needs: readonly Scope[]): ApiRoute => ({
  methods: GET,
  needs,
  family: llamaServer,
  modelIn: 'query',
  streams: false,
  isLook: true,
});

/** `/upstream/{model}/…`: whatever a runner answers, untouched. `OPTIONS` stays here: it asks for leave, not for a model. */
export const upstreamRoute: ApiRoute = {
  methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
  // Of what is not known any better: see `upstreamNeeds`.
  needs: ['manage'],
  family: llamaServer,
  modelIn: 'path',
  streams: false,
  isLook: false,
};

/** The paths that runners answer. One more is one more line; `?` marks llama-server's aliases without `/v1`. */
export const apiRoutes: ReadonlyMap<string, ApiRoute> = new Map(
  Object.entries({
    '/v1?/chat/completions': generating,
    '/v1?/chat/completions/input_tokens': computing,
    '/v1?/completions': generating,
    '/v1?/embeddings': computing,
    '/v1?/rerank': computing,
    '/v1?/reranking': computing,
    '/v1?/responses': inference(responses, 'body', true),
    '/v1?/responses/input_tokens': inference(responses, 'body', false),
    '/v1?/audio/transcriptions': inference(openai, 'form', true),
    '/v1/messages': inference(anthropic, 'body', true),
    '/v1/messages/count_tokens': inference(anthropic, 'body', false),
    // LM Studio's, which has the replies of OpenAI's and a few figures more.
    '/api/v0/chat/completions': { ...generating, runnerPath: '/v1/chat/completions' },
    '/api/v0/completions': { ...generating, runnerPath: '/v1/completions' },
    '/api/v0/embeddings': { ...computing, runnerPath: '/v1/embeddings' },
    '/completion': ownGenerating,
    '/infill': ownGenerating,
    '/embedding': ownComputing,
    '/tokenize': ownComputing,
    '/detokenize': ownComputing,
    '/apply-template': ownComputing,
    '/props': look('inference', 'read'),
    // What others ask may stand there.
    '/slots': look('read'),
    '/lora-adapters': look('inference', 'read'),
    '/metrics': look('read'),
  } satisfies Record<string, ApiRoute>).flatMap(([path, route]): [string, ApiRoute][] =>
    path.startsWith('/v1?')
      ? [
          [path.replace('?', ''), route],
          [path.slice('/v1?'.length), route],
        ]
      : [[path, route]],
  ),
);

/**
 * What is asked of a key for a path at a runner: the same as without `/upstream/{model}`. Of paths that Corral does not know,
 * asking is reading; anything else may change how others are served, and is managing.
 */
export const upstreamNeeds = (method: string, path: string): readonly Scope[] => {
  const known = apiRoutes.get(path);
  if (known?.methods.includes(method)) return known.needs;
  return method === 'GET' || method === 'HEAD' ? ['read'] : upstreamRoute.needs;
};
