import type { ModelInput } from '../config/schema.ts';
import type { SwapConfig } from './llama-swap-schema.ts';

interface Names {
  /** All names in lower case; gets those that are given. */
  readonly taken: Set<string>;
  readonly notes: string[];
}

/** Names that stand for several models. */
type Several = Readonly<Record<string, string[]>>;

const namesOf = (models: ReadonlyMap<string, ModelInput>): ReadonlySet<string> =>
  new Set(
    [...models].flatMap(([id, { aliases = [], variants = {} }]) =>
      [id, ...aliases, ...Object.keys(variants)].map((name) => name.toLowerCase()),
    ),
  );

/** The profile that is active at start: each of its names stands for what it is pinned to. Others have no counterpart, and are named. */
export function importProfiles(
  { profiles, hooks }: Pick<SwapConfig, 'profiles' | 'hooks'>,
  models: ReadonlyMap<string, ModelInput>,
  { taken, notes }: Names,
): Several {
  const active = hooks?.on_startup?.profile;
  const known = new Set([...namesOf(models), ...taken]);
  const several: Record<string, string[]> = {};
  for (const [name, profile] of Object.entries(profiles ?? {})) {
    if (Array.isArray(profile) || name !== active) {
      notes.push(`profile ${name} is left out: names mean the same at any time`);
      continue;
    }
    for (const [pin, target] of Object.entries(profile.pins ?? {}))
      if (!target) notes.push(`profile ${name}: ${pin} is left out: a name cannot be switched off`);
      else if (taken.has(pin.toLowerCase()))
        notes.push(`profile ${name}: ${pin} is left out: the name is taken`);
      else if (!known.has(target.toLowerCase()))
        notes.push(`profile ${name}: ${pin} is left out: ${target} is not carried over`);
      else {
        taken.add(pin.toLowerCase());
        several[pin] = [target];
      }
  }
  return several;
}

/**
 * llama-swap's selectors as names for several models. `taken` has all names in lower case, and gets these. What is left out is said in
 * `notes`.
 */
export function importSelectors(
  { selectors }: Pick<SwapConfig, 'selectors'>,
  models: ReadonlyMap<string, ModelInput>,
  { taken, notes }: Names,
): Several {
  const known = namesOf(models);
  const anyOf = Object.entries(selectors ?? {}).flatMap(
    ([name, { strategy, targets }]): [string, string[]][] => {
      const wanted = strategy === 'pin' ? (targets ?? []).slice(0, 1) : (targets ?? []);
      const there = wanted.filter((target) => known.has(target.toLowerCase()));
      if (taken.has(name.toLowerCase())) notes.push(`selector ${name} is left out: the name is taken`);
      else if (there.length === 0)
        notes.push(`selector ${name} is left out: none of its targets is carried over`);
      else {
        taken.add(name.toLowerCase());
        if (there.length < wanted.length)
          notes.push(
            `selector ${name} goes without ${wanted.filter((one) => !there.includes(one)).join(', ')}`,
          );
        if (strategy === 'spillover')
          notes.push(
            `selector ${name} takes whichever is loaded: \`replicas:\` of a model serve more requests`,
          );
        return [[name, there]];
      }
      return [];
    },
  );
  return Object.fromEntries(anyOf);
}
