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

/** An alias that stands for all names of a form: `claude-*`. */
export const isPattern = (alias: string): boolean => alias.includes('*');

/** Whether a pattern stands for a name. */
export const matches = (pattern: string, asked: string): boolean => {
  const name = normalName(asked);
  const parts = normalName(pattern).split('*');
  const [first = '', last = ''] = [parts[0], parts.at(-1)];
  if (!name.startsWith(first) || !name.endsWith(last)) return false;
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = name.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return at <= name.length - last.length;
};

/** The entry of a name or alias: exact, else without regard to case and to `:latest`, else of an alias that stands for many. */
export function findModel<Entry extends { readonly name: string; readonly aliases: readonly string[] }>(
  name: string,
  entries: readonly Entry[],
): Entry | undefined {
  const has = (entry: Entry, test: (one: string) => boolean): boolean =>
    test(entry.name) || entry.aliases.some(test);
  return (
    entries.find((entry) => has(entry, (one) => one === name)) ??
    entries.find((entry) => has(entry, (one) => normalName(one) === normalName(name))) ??
    entries.find(({ aliases }) => aliases.some((one) => isPattern(one) && matches(one, name)))
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
