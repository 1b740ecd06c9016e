import { Lexer } from 'yaml';

/** Words and signs, line ends and indentation counted. Two thousand models with all that can be said of them have as many. */
const MOST_WORDS = 100_000;
/** Lists and maps in each other. A configuration has six levels. */
export const DEEPEST = 50;

export const TOO_DEEP = `its lists and maps stand in each other more than ${DEEPEST} deep`;

/** Where a text goes beyond what is read, and beyond what. */
export interface Excess {
  /** From 1. */
  readonly line: number;
  readonly message: string;
}

/**
 * Looks at a YAML text before it is parsed: taking it apart costs little, understanding a megabyte of it up to a minute. Null for one
 * that is short enough.
 */
export function excessOf(text: string): Excess | null {
  let [words, depth, offset] = [0, 0, 0];
  const at = (message: string): Excess => ({ line: text.slice(0, offset).split('\n').length, message });
  for (const word of new Lexer().lex(text)) {
    if (word === '[' || word === '{') depth++;
    if (word === ']' || word === '}') depth--;
    if (depth > DEEPEST) return at(TOO_DEEP);
    offset += word.length;
    if (++words > MOST_WORDS)
      return at(`it has more than ${MOST_WORDS} words and signs, too many for a configuration`);
  }
  return null;
}
