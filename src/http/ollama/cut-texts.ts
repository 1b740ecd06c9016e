import type { ModelSpec } from '../../../machines/vocabulary.ts';
import type { Exchange } from '../exchange.ts';
import type { LeaseWishes } from '../lease-wishes.ts';
import { badRequest, RequestError, type HttpProblem } from '../openai-errors.ts';
import type { GenerationParts } from './serve-generation.ts';
import { leaseFor } from './ask-runner.ts';
import { readTokens } from './cut-tokens.ts';
import { askerOf } from './runner-questions.ts';
import type { Piece, TextBounds } from './embeddings.ts';

/** A token is a byte at least; this many more are marks, and a space that some vocabularies put first. */
const SPARE_TOKENS = 4;
/** Longer than any token that is not blank: what lies beyond it is cut away in any case, and not worth splitting into tokens. */
const MOST_CHARACTERS_PER_TOKEN = 128;

/** Which texts fit into a model that reads so many tokens, and how much of the others is looked at. */
export const boundsOf = (limitTokens: number): TextBounds => ({
  surelyFitsBytes: limitTokens - SPARE_TOKENS,
  mostCharacters: limitTokens * MOST_CHARACTERS_PER_TOKEN,
});

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
  parts: GenerationParts,
  exchange: Exchange,
  { spec, pieces, limitTokens, truncate, wishes }: Wanted,
): Promise<readonly Uint8Array[]> {
  if (pieces.every(isShort)) return pieces;
  if (!truncate && pieces.some((piece) => !isShort(piece) && !piece.isWhole))
    throw new RequestError(tooLong(limitTokens));
  const lease = await leaseFor(parts, exchange, spec.name, wishes);
  try {
    const tokenize = tokenizerOf(parts, exchange, lease);
    let marks: readonly number[] | null = null;
    const inputs: Uint8Array[] = [];
    for (const piece of pieces) {
      if (isShort(piece)) {
        inputs.push(piece);
        continue;
      }
      const { beginning } = piece;
      marks ??= readTokens(await tokenize(''));
      const json = await tokenize(beginning);
      const { count, fitting } = await parts.translator.run('tokens', { json, limitTokens, marks });
      if (count > limitTokens && !truncate) throw new RequestError(tooLong(limitTokens));
      inputs.push(count > limitTokens ? fitting : Buffer.from(JSON.stringify(beginning)));
    }
    return inputs;
  } finally {
    lease.release();
  }
}

const isShort = (piece: Piece): piece is Uint8Array => piece instanceof Uint8Array;

/** What a leased runner answers when it is to split a text into tokens; nothing of one that cannot. */
const tokenizerOf =
  (...of: Parameters<typeof askerOf>): ((text: string) => Promise<Uint8Array<ArrayBuffer>>) =>
  (content) =>
    askerOf(...of)('/tokenize', JSON.stringify({ content, add_special: true }));
