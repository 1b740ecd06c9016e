import { findRealModel, realModels } from '../../scripts/real-model-cache.ts';
import { realLlamaServer } from './corral.ts';

/** Where each real model lies. */
export type RealPaths = Readonly<Record<keyof typeof realModels, string>>;

const names = Object.keys(realModels) as (keyof typeof realModels)[];

/** What is missing for tests on real models, and how it is had; null where nothing is. */
function missing(runtime: 'llama-server' | 'embedded'): string | null {
  if (runtime === 'llama-server' && realLlamaServer === null)
    return 'no real llama-server, npm run llama-server builds it';
  if (names.some((name) => findRealModel(name) === null))
    return 'no real models, npm run real-models fetches them';
  return null;
}

/** Describes what needs real models. Where they are not, one test stands in for all and says so. */
export function withRealModels(
  title: string,
  runtime: 'llama-server' | 'embedded',
  tests: (paths: RealPaths) => void,
): void {
  const why = missing(runtime);
  describe(title, () => {
    if (why === null)
      tests(Object.fromEntries(names.map((name) => [name, findRealModel(name) ?? ''])) as RealPaths);
    else
      it(`is LEFT OUT (${why})`, () => {
        console.warn(`\n*** ${title}: LEFT OUT, ${why}.\n`);
      });
  });
}
