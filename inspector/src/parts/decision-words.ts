import type { Decision } from '../live/picture.ts';

/** What was done, as the words before the model's name and those after it. The reason follows. */
const words: Readonly<Record<Decision['kind'], readonly [before: string, after: string]>> = {
  grant: ['request for', 'served'],
  refuse: ['request for', 'refused'],
  load: ['loading', ''],
  loaded: ['', 'loaded'],
  evict: ['evicted', ''],
  claim: ['making room for', ''],
  unclaim: ['no longer making room for', ''],
  unload: ['unloading', ''],
  failed: ['', 'failed'],
  outgrown: ['', 'holds more than was planned'],
  unrecovered: ['memory of', 'did not come back'],
  stuck: ['process of', 'does not end'],
};

/** A decision in words, around the name of its model. */
export const decisionWords = ({ kind }: Decision): readonly [before: string, after: string] => words[kind];

/** Decisions that say that something went wrong. */
export const isTrouble = ({ kind }: Decision): boolean =>
  kind === 'failed' || kind === 'refuse' || kind === 'unrecovered' || kind === 'outgrown' || kind === 'stuck';

/**
 * The decisions that tell the story, latest first: without the unload that only carries an eviction out, and without
 * grants unless they are asked for.
 */
export function storyOf(decisions: readonly Decision[], withGrants: boolean): readonly Decision[] {
  const evicted = new Set(decisions.filter(({ kind }) => kind === 'evict').map(({ runnerId }) => runnerId));
  return decisions
    .filter(({ kind, runnerId }) =>
      kind === 'grant' ? withGrants : !(kind === 'unload' && evicted.has(runnerId)),
    )
    .toReversed();
}
