import { hash, randomBytes } from 'node:crypto';

/** How a key begins, so that people and secret scanners recognise one. */
export const KEY_PREFIX = 'corral_';
/** Nobody guesses one in 2^256. */
const KEY_BYTES = 32;

/** How `corral.yaml` holds a key. */
export const KEY_HASH = /^sha256:[0-9a-f]{64}$/;

/** A fresh key: the prefix, and 256 random bits in base64url. */
export const newKey = (): string => KEY_PREFIX + randomBytes(KEY_BYTES).toString('base64url');

/**
 * What is kept of a key: `sha256:` and its digest in hexadecimal. A slow hash with a salt, as for passwords, would protect
 * nothing here: it makes guessing expensive, and 256 random bits are beyond guessing; but it would cost each request dearly.
 */
export const hashOf = (key: string): string => `sha256:${hash('sha256', key)}`;
