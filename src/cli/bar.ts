/** A share of a bar: how much of it, from 0 to 1, and the character that shows it. */
export interface Share {
  readonly part: number;
  readonly mark: string;
}

/** `[####==....]`: shares one after the other, the rest in dots; what is too much is left out. */
export function bar(shares: readonly Share[], width: number, rest = '.'): string {
  let text = '';
  let sum = 0;
  for (const { part, mark } of shares) {
    sum += part;
    const end = Math.min(width, Math.round(sum * width));
    text += mark.repeat(Math.max(0, end - text.length));
  }
  return `[${text.padEnd(width, rest)}]`;
}
