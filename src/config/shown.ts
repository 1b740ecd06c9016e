import { cut } from '../cut.ts';

const MOST_SHOWN = 200;

/** What somebody has written, short enough to be told. */
export const shortly = (text: string): string => cut(text, MOST_SHOWN);

/** The same for a value. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  return typeof value === 'number' ? String(value) : shortly(JSON.stringify(value));
}
