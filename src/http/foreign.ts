import type { Foreign } from '../../machines/vocabulary.ts';
import type { Variant } from '../config/schema.ts';
import { servesPath } from '../model-naming.ts';
import { apiRoutes, type ApiRoute } from './api-routes.ts';
import { openai } from './families.ts';
import { badRequest, RequestError } from './openai-errors.ts';

/** Of paths that no llama-server has: sound, pictures, and whatever else a model's command serves. The program judges what it is sent. */
export const declaredRoute: ApiRoute = {
  methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
  needs: ['inference'],
  family: openai,
  modelIn: 'anywhere',
  streams: false,
  isLook: false,
};

const MOST_TOLD = 10;

/** The path at another program: llama-server's short forms of OpenAI's paths are known to no other. */
export const foreignPath = (path: string): string =>
  apiRoutes.has(path) && apiRoutes.has(`/v1${path}`) ? `/v1${path}` : path;

/** Throws a `RequestError` (404) for a path that a model does not serve; `foreign` is undefined for those of llama-server. */
export function refuseUnserved(model: string, foreign: Foreign | undefined, path: string): void {
  if (foreign ? servesPath(foreign, path) : apiRoutes.has(path)) return;
  const rest = foreign
    ? `it serves ${foreign.paths.slice(0, MOST_TOLD).join(', ')}`
    : 'llama-server does not';
  throw new RequestError(
    badRequest(`${model} does not serve ${path}: ${rest}.`, 'not_supported', { status: 404, param: 'model' }),
  );
}

const AS_IT_IS: Variant = { set: {}, default: {}, strip: [] };

/** A variant that also says what the model is called at its program, which looks at that. */
export const calledAs = (variant: Variant | null, { calledAs: model }: Foreign): Variant => {
  const { set, ...rest } = variant ?? AS_IT_IS;
  return { ...rest, set: { ...set, model } };
};
