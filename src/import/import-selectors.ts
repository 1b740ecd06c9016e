import type { ConfigInput, ModelInput } from '../config/schema.ts';
import type { SwapConfig } from './llama-swap-schema.ts';

/**
 * llama-swap's selectors as names for several models. `taken` has all names in lower case, and gets these. What is left out is said in
 * `notes`.
 */
export function importSelectors(
  { selectors }: Pick<SwapConfig, 'selectors'>,
  models: ReadonlyMap<string, ModelInput>,
  { taken, notes }: { readonly taken: Set<string>; readonly notes: string[] },
): Pick<ConfigInput, 'anyOf'> {
  const known = new Set(
    [...models].flatMap(([id, { aliases = [], variants = {} }]) =>
      [id, ...aliases, ...Object.keys(variants)].map((name) => name.toLowerCase()),
    ),
  );
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
  return anyOf.length > 0 ? { anyOf: Object.fromEntries(anyOf) } : {};
}
