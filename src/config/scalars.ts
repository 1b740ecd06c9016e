import { isIP } from 'node:net';
import { z } from 'zod';
import { MODEL_NAME } from './model-names.ts';
import { parseDuration } from './parse-duration.ts';
import { parseSize } from './parse-size.ts';

/** Sizes and durations: text or numbers that mean bytes or ms. */
export const kinds = z.registry<{ readonly kind: 'size' | 'duration' }>();

/** Whole numbers from 1. */
export const count = (most: number) => z.int().min(1).max(most);

export const port = z.int().min(0).max(65_535);

const MOST_PER_MINUTE = 100_000_000;
const RATE = `expected a number of requests from 1 to ${MOST_PER_MINUTE}, or 'unlimited'`;
/** Requests per minute; may be `Infinity`. */
export const rate = z
  .union([count(MOST_PER_MINUTE), z.literal('unlimited')], { error: RATE })
  .transform((value) => (value === 'unlimited' ? Infinity : value));

interface Range {
  /** As it is written: `1KiB`, `1s`. */
  readonly least: string;
  readonly most: string;
}

/** Bytes. Unless it is said otherwise, from nothing to more than any machine has. */
export const size = ({ least, most }: Range = { least: '0', most: '1024TiB' }) =>
  z
    .union([z.string(), z.number()])
    .refine((value) => parseSize(value) !== null, {
      error: 'expected a size such as 450MiB, 20GiB or a number of bytes',
      abort: true,
    })
    .refine((value) => isWithin(parseSize(value), parseSize(least), parseSize(most)), {
      error: `expected a size from ${least} to ${most}`,
    })
    .transform((value) => parseSize(value) ?? 0)
    .register(kinds, { kind: 'size' });

const LONGEST = '3650d';

/** Ms, or `Infinity`. Only where `mayBeNegative` that is what a negative number means, as Ollama's clients send it. */
export const duration = ({ least = '0', mayBeNegative = false } = {}) =>
  z
    .union([z.string(), z.number()])
    .refine((value) => parseDuration(value) !== null && (mayBeNegative || !isNegative(value)), {
      error: 'expected a duration such as 30s, 5m, 1h30m, forever or a number of seconds',
      abort: true,
    })
    .refine((value) => isLasting(parseDuration(value), least), {
      error: `expected a duration from ${least} to ${LONGEST}, or forever`,
    })
    .transform((value) => parseDuration(value) ?? 0)
    .register(kinds, { kind: 'duration' });

const isNegative = (value: string | number): boolean => String(value).trim().startsWith('-');

const isLasting = (ms: number | null, least: string): boolean =>
  ms === Infinity || isWithin(ms, parseDuration(least), parseDuration(LONGEST));

const isWithin = (value: number | null, least: number | null, most: number | null): boolean =>
  value !== null && value >= (least ?? 0) && value <= (most ?? 0);

// Longer ones no system takes, and none takes one with a NUL.
const isPath = (path: string): boolean => path.trim() !== '' && path.length <= 4_096 && !path.includes('\0');

/** A file or a folder; an empty text would be the folder of the configuration itself. */
export const path = z.string().refine(isPath, { error: 'expected a path' });

/** A model or a device. */
export const name = z
  .string()
  .regex(MODEL_NAME, 'expected a name of up to 256 characters, without control characters');

/** One argument of a program. */
export const argument = z.string().refine((text) => text.length <= 32_768 && !text.includes('\0'), {
  error: 'expected an argument of up to 32768 characters',
});

const HOST_NAME = /^(?=.*[a-z])[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/i;
const isHost = (host: string): boolean => isIP(unbracketed(host)) !== 0 || HOST_NAME.test(host);

/** Of `[::1]`, as URLs have it, what is in the brackets. */
const unbracketed = (host: string): string => {
  const inner = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
  return isIP(inner) === 6 ? inner : host;
};

const HOST_EXPECTED =
  'expected an address such as 127.0.0.1, 0.0.0.0 or "::1", or the name of a host; in quotes if it has brackets, and without a port';

/** An address or a name that a server can listen at. */
export const host = z
  .string({ error: HOST_EXPECTED })
  .refine(isHost, { error: HOST_EXPECTED })
  .transform(unbracketed);
