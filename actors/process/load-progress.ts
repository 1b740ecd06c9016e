/** llama.cpp prints a dot for each hundredth of the tensors that it has read. */
const DOTS = /^\.{2,100}$/;
const PERCENT = /(?:load(?:ing|_\w+)?|progress)\D{0,40}?(\d{1,3}(?:\.\d+)?)\s?%/i;

/** How far loading has come, from 0 to 1, by what was just printed; null when that tells nothing. */
export function progressOf(lines: readonly string[]): number | null {
  for (const line of lines.toReversed()) {
    const text = line.trim();
    if (DOTS.test(text)) return text.length / 100;
    const percent = PERCENT.exec(text)?.[1];
    if (percent !== undefined) return Math.min(1, Number(percent) / 100);
  }
  return null;
}
