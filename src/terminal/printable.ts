import { stripVTControlCharacters } from 'node:util';

const PLAIN = /^[\t\n\x20-\x7e]*$/;
/**
 * All that is not to be read: controls of both sets, overrides of the direction of writing, lone surrogates, what Unicode has not assigned.
 * The joiners stay: scripts and emoji are written with them.
 */
const UNPRINTABLE = /[^\t\n\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}\u200c\u200d]/gu;
const REPLACEMENT = '\ufffd';

/**
 * A text that only shows itself on a terminal: what may be read, newlines and tabs. Sequences that would steer the terminal are
 * taken out, and whatever else is not on the list becomes a replacement character.
 */
export function printable(text: string): string {
  if (PLAIN.test(text)) return text;
  return stripVTControlCharacters(text).replaceAll(/\r+\n/g, '\n').replaceAll(UNPRINTABLE, REPLACEMENT);
}

/** The same on one line. */
export const printableLine = (text: string): string => printable(text).replaceAll(/[\t\n]+/g, ' ');

/** JSON of the same value in which nothing steers a terminal. JSON itself escapes only the first set of controls. */
export const printableJson = (json: string): string =>
  PLAIN.test(json) ? json : json.replaceAll(UNPRINTABLE, escaped);

const escaped = (character: string): string =>
  [...Array(character.length).keys()]
    .map((index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`)
    .join('');
