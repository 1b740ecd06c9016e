import { z } from 'zod';
import { parseDuration } from '../../config/parse-duration.ts';
import { parseSize } from '../../config/parse-size.ts';

/** When something is expected: between two times, both included, in ms. */
export interface Window {
  readonly fromMs: number;
  readonly toMs: number;
  /** As it was written, for messages. */
  readonly text: string;
  /** A single time, to which the scenario's tolerance applies. */
  readonly isPoint: boolean;
}

const text = z.union([z.string(), z.number()]);

/** `20GiB`, `450MiB`, or a number of bytes. */
export const size = text
  .refine((value) => parseSize(value) !== null, {
    error: 'expected a size such as 450MiB, 20GiB or a number of bytes',
  })
  .transform((value) => parseSize(value) ?? 0);

/** `12s`, `1m30s`, `250ms`, `forever`, or a number of seconds. */
export const duration = text
  .refine((value) => parseDuration(value) !== null, {
    error: 'expected a time such as 12s, 1m30s, 250ms, forever or a number of seconds',
  })
  .transform((value) => parseDuration(value) ?? 0);

/** A time since the start of the run: one that comes. */
export const instant = duration.refine(Number.isFinite, {
  error: 'expected a time after the start such as 12s or 1m30s, and one that comes',
});

/** `6s`, `6s..8s`, `before 8s` or `after 6s`. */
export const window = text
  .refine((value) => parseWindow(value) !== null, {
    error: 'expected a time such as 6s, 6s..8s, before 8s or after 6s',
  })
  .transform((value) => parseWindow(value) ?? { fromMs: 0, toMs: 0, text: '', isPoint: true });

/** Null when it is none of the four forms. */
export function parseWindow(value: string | number): Window | null {
  const written = String(value).trim();
  const [, from, to] = /^(.+?)\s*\.\.\s*(.+)$/.exec(written) ?? [];
  const [, word, bound] = /^(before|after)\s+(.+)$/.exec(written) ?? [];
  if (word && bound) {
    const ms = parseDuration(bound);
    if (ms === null) return null;
    return word === 'before'
      ? { fromMs: 0, toMs: ms, text: written, isPoint: false }
      : { fromMs: ms, toMs: Infinity, text: written, isPoint: false };
  }
  if (from && to) {
    const [fromMs, toMs] = [parseDuration(from), parseDuration(to)];
    return fromMs === null || toMs === null ? null : { fromMs, toMs, text: written, isPoint: false };
  }
  const ms = parseDuration(value);
  return ms === null ? null : { fromMs: ms, toMs: ms, text: written, isPoint: true };
}

export const count = z.number().int().min(0);
export const positive = z.number().int().positive();

/** How many of something: a number, `at most 35` or `at least 2`. */
export const howMany = z.union([count, z.string().regex(/^at (most|least) \d+$/)]);

/** Whether a number is as many as was expected. */
export function isAsMany(seen: number, wanted: number | string): boolean {
  if (typeof wanted === 'number') return seen === wanted;
  const bound = Number(wanted.replace(/\D/g, ''));
  return wanted.startsWith('at most') ? seen <= bound : seen >= bound;
}
