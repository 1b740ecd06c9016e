import { basename } from 'node:path';

const EXTENSION = /\.gguf$/i;
const PART = /-(\d{5})-of-(\d{5})$/;

/** A GGUF file's name taken apart; `part` and `parts` are 1 of a file that is whole. */
export interface SplitName {
  /** Without folder, part and extension. */
  readonly stem: string;
  readonly part: number;
  readonly parts: number;
  readonly extension: string;
}

/** Null for a file that is not called `*.gguf`, in whatever letters. */
export function splitName(path: string): SplitName | null {
  const name = basename(path);
  const [extension] = EXTENSION.exec(name) ?? [];
  if (extension === undefined) return null;
  const whole = name.slice(0, -extension.length);
  const [suffix = '', part = '1', parts = '1'] = PART.exec(whole) ?? [];
  const stem = suffix === '' ? whole : whole.slice(0, -suffix.length);
  return { stem, part: Number(part), parts: Number(parts), extension };
}

const fiveDigits = (count: number): string => String(count).padStart(5, '0');

/** The name of another part of the same model. */
export const partName = ({ stem, parts, extension }: SplitName, part: number): string =>
  `${stem}-${fiveDigits(part)}-of-${fiveDigits(parts)}${extension}`;
