import { findRealModel } from '../../scripts/real-model-cache.ts';
import { realLlamaServer } from './corral.ts';

/** The real llama-server and real models, where both are here. */
export interface RealThings {
  readonly smollm2: string;
  readonly gemma: string;
}

/** What is missing for tests on real models, and how it is had; null where nothing is. */
function missing(): string | null {
  if (realLlamaServer === null) return 'no real llama-server, npm run llama-server builds it';
  if (findRealModel('smollm2') === null || findRealModel('gemma') === null)
    return 'no real models, npm run real-models fetches them';
  return null;
}

/** Describes what needs real models. Where they are not, one test stands in for all and says so. */
export function withRealModels(title: string, tests: (models: RealThings) => void): void {
  const why = missing();
  describe(title, () => {
    if (why === null) tests({ smollm2: findRealModel('smollm2') ?? '', gemma: findRealModel('gemma') ?? '' });
    else
      it(`is LEFT OUT (${why})`, () => {
        console.warn(`\n*** ${title}: LEFT OUT, ${why}.\n`);
      });
  });
}
