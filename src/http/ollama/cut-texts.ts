import type { ModelSpec } from '../../../machines/vocabulary.ts';
import type { Lease } from '../../lease.ts';
import type { Exchange } from '../exchange.ts';
import type { LeaseWishes } from '../lease-wishes.ts';
import { badRequest, RequestError, type HttpProblem } from '../openai-errors.ts';
import type { ProxyParts } from '../proxy.ts';
import { leaseFor } from './ask-runner.ts';
import type { Piece } from './embeddings.ts';

/** A token is a byte at least; this many more are marks, and a space that some vocabularies put first. */
const SPARE_TOKENS = 4;
/** A text of so many bytes has at most `limitTokens` tokens. */
export const surelyFitsBytes = (limitTokens: number): number => limitTokens - SPARE_TOKENS;
/** Longer than any token that is not blank: what lies beyond it is cut away in any case, and not worth splitting into tokens. */
const MOST_CHARACTERS_PER_TOKEN = 128;

export const tooLong = (limitTokens: number): HttpProblem =>
  badRequest(
    `the input length exceeds the context length: the model reads ${limitTokens} tokens of a text; send less, or leave "truncate" out`,
    'input_too_long',
    { param: 'input' },
  );

interface Wanted {
  readonly spec: ModelSpec;
  readonly pieces: readonly Piece[];
  readonly limitTokens: number;
  /** Without it a text that is too long is refused. */
  readonly truncate: boolean;
  readonly wishes: LeaseWishes;
}

/**
 * The JSON of all texts as they fit into the model: the tokens that fit of one that is too long. Only the model's runner can tell, and
 * it is asked only when a text may be too long. Rejects with a `RequestError` (400) for one that may not be cut.
 */
export async function cutTexts(
  parts: ProxyParts,
  exchange: Exchange,
  { spec, pieces, limitTokens, truncate, wishes }: Wanted,
): Promise<readonly Uint8Array[]> {
  if (pieces.every(isShort)) return pieces;
  const lease = await leaseFor(parts, exchange, spec.name, wishes);
  try {
    const tokenize = tokenizerOf(parts, exchange, lease);
    const marks = await tokenize('');
    const inputs: Uint8Array[] = [];
    for (const piece of pieces) {
      if (isShort(piece)) {
        inputs.push(piece);
        continue;
      }
      const tokens = await tokenize(
        truncate ? piece.slice(0, limitTokens * MOST_CHARACTERS_PER_TOKEN) : piece,
      );
      if (tokens.length > limitTokens && !truncate) throw new RequestError(tooLong(limitTokens));
      const input = tokens.length > limitTokens ? cutTokens(tokens, marks, limitTokens) : piece;
      inputs.push(Buffer.from(JSON.stringify(input)));
    }
    return inputs;
  } finally {
    lease.release();
  }
}

const isShort = (piece: Piece): piece is Uint8Array => typeof piece !== 'string';

/**
 * The first tokens, and the marks that end a text where the model has such: `marks` are the tokens of an empty text, some of which
 * stand before every text, and the others after it.
 */
export function cutTokens(tokens: readonly number[], marks: readonly number[], limit: number): number[] {
  const after = marks.findIndex((_, at) => {
    const ending = marks.slice(at);
    return ending.every((mark, i) => tokens[tokens.length - ending.length + i] === mark);
  });
  const ending = after === -1 ? [] : marks.slice(after);
  return [...tokens.slice(0, Math.max(0, limit - ending.length)), ...ending];
}

/** Splits texts into tokens at a leased runner. One that says nothing of them gets the text as it is, and says then what is wrong. */
const tokenizerOf = (
  { pools }: ProxyParts,
  { gone }: Exchange,
  { runnerId, endpoint, lost }: Lease,
): ((text: string) => Promise<readonly number[]>) => {
  const pool = pools.of(runnerId, endpoint);
  return async (content) => {
    const ended = new AbortController();
    const end = (): void => ended.abort();
    for (const signal of [gone, lost]) signal.addEventListener('abort', end);
    try {
      const { body } = await pool.request({
        method: 'POST',
        path: '/tokenize',
        headers: { authorization: `Bearer ${endpoint.apiKey}`, 'content-type': 'application/json' },
        body: JSON.stringify({ content, add_special: true }),
        signal: ended.signal,
      });
      return tokensIn(await body.json());
    } catch {
      if (gone.aborted) throw gone.reason;
      return [];
    } finally {
      for (const signal of [gone, lost]) signal.removeEventListener('abort', end);
    }
  };
};

const tokensIn = (reply: unknown): readonly number[] => {
  const { tokens } = (typeof reply === 'object' && reply !== null ? reply : {}) as { tokens?: unknown };
  return Array.isArray(tokens) && tokens.every(Number.isInteger) ? (tokens as number[]) : [];
};
