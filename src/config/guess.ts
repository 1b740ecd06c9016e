import { closest, distance } from 'fastest-levenshtein';

/** The work of guessing grows with it. */
const LONGEST_GUESSED = 100;

/** What may have been meant: ` Did you mean 'context'?`, or all that there is; empty when there is nothing. */
export function guess(name: string, known: readonly string[]): string {
  if (known.length === 0 || name.length > LONGEST_GUESSED) return '';
  const near = closest(name, known);
  return distance(name.toLowerCase(), near.toLowerCase()) <= Math.max(2, name.length / 3)
    ? ` Did you mean '${near}'?`
    : ` Known: ${known.join(', ')}.`;
}
