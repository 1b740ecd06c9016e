/** What a backslash takes its meaning from; before anything else it stands for itself, as in `C:\models`. */
const ESCAPABLE = new Set([' ', '\t', '\n', '"', "'", '\\', '#']);

/**
 * The words of a command line, without a shell: quotes hold words together, a backslash at the end of a line joins it with the
 * next, lines that start with `#` are comments, and newlines are spaces. Nothing is expanded. Throws an Error when a quote is
 * never closed.
 */
export function splitCommand(command: string): readonly string[] {
  const text = withoutComments(command);
  const words: string[] = [];
  let word: string | null = null;
  let quote: string | null = null;
  for (let i = 0; i < text.length; i++) {
    const char = text.charAt(i);
    if (char === '\\' && quote !== "'" && ESCAPABLE.has(text.charAt(i + 1))) {
      const next = text.charAt(++i);
      if (next !== '\n') word = (word ?? '') + next;
    } else if (quote !== null) {
      if (char === quote) quote = null;
      else word = (word ?? '') + char;
    } else if (char === '"' || char === "'") {
      quote = char;
      word ??= '';
    } else if (/\s/.test(char)) {
      if (word !== null) words.push(word);
      word = null;
    } else word = (word ?? '') + char;
  }
  if (quote !== null) throw new Error(`a ${quote} is never closed`);
  return word === null ? words : [...words, word];
}

const withoutComments = (command: string): string =>
  command
    .replaceAll('\r\n', '\n')
    .split('\n')
    .filter((line) => !line.trimStart().startsWith('#'))
    .join('\n');
