import type { Model, Runner } from '../../live/picture.ts';

/** What is looked at: one runner, or all runners of a model, those to come included. */
export type Target = { readonly runnerId: string } | { readonly model: string };

/** As a value of the list to choose from, and back. */
export const targetValue = (target: Target): string =>
  'runnerId' in target ? `runner=${target.runnerId}` : `model=${target.model}`;

export function targetOf(query: URLSearchParams): Target | null {
  const runnerId = query.get('runner');
  if (runnerId !== null) return { runnerId };
  const model = query.get('model');
  return model === null ? null : { model };
}

/** What is shown when nothing was chosen: the latest runner, else the first model. */
export function firstTarget(runners: readonly Runner[], models: readonly Model[]): Target | null {
  const latest = runners.at(-1);
  if (latest) return { runnerId: latest.id };
  const [first] = models;
  return first ? { model: first.name } : null;
}
