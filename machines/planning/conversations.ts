import type { LaunchOptions } from '../vocabulary.ts';
import type { ModelShape } from './memory-need.ts';

/** Keys and values are kept as 16 bit floats, unless the arguments say otherwise; then this is the upper bound. */
const KV_BYTES = 2;
/** Shorter ones are computed anew as fast as a file is read. */
const FEWEST_TOKENS = 128;
/** Computing anew has to take so many times as long as writing and reading the file. */
const WORTH = 3;
/** Two short questions to the process, whatever the size. */
const FIXED_MS = 20;

/** What one token of a conversation takes in a slot's cache, in bytes. */
export const bytesPerToken = ({ attention }: ModelShape): number =>
  attention.reduce(
    (sum, { kvHeads, keyLength, valueLength }) => sum + kvHeads * (keyLength + valueLength),
    0,
  ) * KV_BYTES;

/**
 * Why bringing the conversations of such a model back would help nothing; null when it helps. Measured with llama-server 0.4: a cache
 * that slides or a recurrent state is restored with success, and then the whole prompt is computed all the same (llama.cpp#26676, #25913);
 * with a projector it is refused (#21133).
 */
export function whyNotKept(shape: ModelShape, launch: LaunchOptions): string | null {
  if (launch.embedding) return 'it has no conversations';
  if (launch.runtime !== 'llama-server') return 'the embedded runner cannot write them down';
  if (launch.projectorPath !== undefined) return 'llama-server refuses it for models that see';
  if (shape.recurrentBytesPerSlot > 0)
    return 'its state is recurrent, and would be computed anew all the same';
  const slides = shape.attention.some(({ kvHeads, windowTokens }) => kvHeads > 0 && windowTokens !== null);
  if (slides && !launch.extraArgs.includes('--swa-full'))
    return 'its attention slides, and it would be computed anew all the same (--swa-full changes that)';
  return null;
}

/** One conversation, and how fast things are. */
export interface Keeping {
  readonly tokens: number;
  readonly bytesPerToken: number;
  /** How long its model takes to compute one token of a prompt; null when it has not computed any. */
  readonly prefillMsPerToken: number | null;
  /** How fast files are written and read. */
  readonly diskBytesPerMs: number;
}

/** Whether computing a conversation anew would take much longer than writing it down and reading it again. */
export function isWorthKeeping({
  tokens,
  bytesPerToken: bytes,
  prefillMsPerToken,
  diskBytesPerMs,
}: Keeping): boolean {
  if (prefillMsPerToken === null || tokens < FEWEST_TOKENS) return false;
  const keepingMs = 2 * (FIXED_MS + (tokens * bytes) / diskBytesPerMs);
  return tokens * prefillMsPerToken >= WORTH * keepingMs;
}
