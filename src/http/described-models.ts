import type { ModelSpec } from '../../machines/vocabulary.ts';
import type { LeaseDesk } from '../lease.ts';
import type { ListedName } from './model-list.ts';
import type { Ability } from './ollama/capabilities.ts';
import type { ModelCards } from './ollama/model-cards.ts';
import type { ModelDetails } from './ollama/model-details.ts';

/** What a model's file and its launch say of it; nothing of one that cannot be used. */
export interface ModelAbout {
  readonly details: ModelDetails | null;
  readonly abilities: readonly Ability[];
}

/** A name in a list, and what is known of its model. */
export interface DescribedName extends ListedName {
  readonly about: ModelAbout;
}

export interface DescribeParts {
  readonly desk: Pick<LeaseDesk, 'find'>;
  readonly cards: ModelCards;
}

const nothingKnown: ModelAbout = { details: null, abilities: [] };

/** What is known of the models of these names: each model is looked at once, however many names it has. */
export async function describeModels(
  names: readonly ListedName[],
  { desk, cards }: DescribeParts,
): Promise<readonly DescribedName[]> {
  const known = new Map<string, Promise<ModelAbout>>();
  const aboutOf = (name: string): Promise<ModelAbout> => {
    const about = known.get(name) ?? describe(specOf(name, desk), cards);
    known.set(name, about);
    return about;
  };
  return Promise.all(names.map(async (one) => ({ ...one, about: await aboutOf(one.model.name) })));
}

const describe = async (spec: ModelSpec | null, cards: ModelCards): Promise<ModelAbout> =>
  spec
    ? { details: (await cards.of(spec)).details, abilities: (await cards.abilitiesOf(spec)) ?? [] }
    : nothingKnown;

/** A model that is configured may be one that cannot be used. */
const specOf = (name: string, desk: DescribeParts['desk']): ModelSpec | null => {
  try {
    return desk.find(name);
  } catch {
    return null;
  }
};
