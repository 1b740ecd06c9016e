import { distance } from 'fastest-levenshtein';

/**
 * What a model may be called: anything of up to 256 characters that can be shown on one line and names nothing of JavaScript's own
 * objects. Control characters and those that turn the direction of writing would let a name pass for another one.
 */
export const MODEL_NAME =
  /^(?!__proto__$)(?!\s)[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202A-\u202E\u2066-\u2069]{1,256}(?<!\s)$/u;

/** Ollama's clients name models with a tag; this one means "the model itself". */
const DEFAULT_TAG = ':latest';

/** The same for all that a name is forgiven: letter case, and `:latest`. */
export const normalName = (name: string): string => {
  const lower = name.toLowerCase();
  return lower.endsWith(DEFAULT_TAG) ? lower.slice(0, -DEFAULT_TAG.length) : lower;
};

/** The entry of a name or alias: exact, else without regard to case and to `:latest`. */
export function findModel<Entry extends { readonly name: string; readonly aliases: readonly string[] }>(
  name: string,
  entries: readonly Entry[],
): Entry | undefined {
  const has = (entry: Entry, test: (one: string) => boolean): boolean =>
    test(entry.name) || entry.aliases.some(test);
  return (
    entries.find((entry) => has(entry, (one) => one === name)) ??
    entries.find((entry) => has(entry, (one) => normalName(one) === normalName(name)))
  );
}

/** Names that may have been meant, the nearest first. */
export function nearMisses(name: string, names: readonly string[]): readonly string[] {
  const wanted = normalName(name);
  const farness = (other: string): number => {
    const known = normalName(other);
    if (known.includes(wanted) || wanted.includes(known)) return 0;
    return distance(wanted, known) / Math.max(wanted.length, known.length);
  };
  return names
    .map((other) => ({ other, far: farness(other) }))
    .filter(({ far }) => far <= 0.5)
    .toSorted((a, b) => a.far - b.far)
    .map(({ other }) => other);
}
