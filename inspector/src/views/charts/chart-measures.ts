import type { TextRow } from './chart-texts.ts';

/**
 * Sizes in px of what is drawn. Texts are measured by their length, since the layout is worked out where there is no font: the
 * fonts of the page's `--mono` are all about 0.6 em wide.
 */
export const measures = {
  title: { px: 13, char: 7.6, line: 22 },
  text: { px: 11, char: 6.65, line: 15 },
  inset: 12,
  dot: { width: 10, height: 10 },
  /** Of a state without anything inside, or of the head of one. */
  box(title: string, rows: readonly TextRow[]): { width: number; height: number } {
    const { title: head, text, inset } = measures;
    const widest = Math.max(title.length * head.char, ...rows.map((row) => row.text.length * text.char));
    return {
      width: Math.max(84, Math.ceil(widest) + 2 * inset),
      height: head.line + 10 + (rows.length > 0 ? rows.length * text.line + 5 : 0),
    };
  },
  label(lines: readonly string[]): { width: number; height: number } {
    const { text } = measures;
    return {
      width: Math.ceil(Math.max(...lines.map(({ length }) => length)) * text.char) + 14,
      height: lines.length * text.line + 6,
    };
  },
} as const;
