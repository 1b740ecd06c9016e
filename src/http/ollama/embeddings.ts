import type { EmbedRequest } from './requests.ts';

/** The texts of `/api/embed`; none when there is nothing to embed. */
const textsOf = ({ input }: Pick<EmbedRequest, 'input'>): readonly string[] => {
  if (typeof input === 'string') return input === '' ? [] : [input];
  return input ?? [];
};

/** The beginning of a text that may be too long for the model; what lies beyond it does not fit in any case. */
export interface LongText {
  readonly beginning: string;
  /** There is no more of it. */
  readonly isWhole: boolean;
}

/** A text's place in what a runner is asked: a text that may be too long for the model, or the JSON of several that are not. */
export type Piece = LongText | Uint8Array;

/** How long texts may be. */
export interface TextBounds {
  /** One of so many bytes fits into the model, whatever it says. */
  readonly surelyFitsBytes: number;
  /** What lies beyond so many characters is not looked at. */
  readonly mostCharacters: number;
}

export interface EmbeddingPieces {
  readonly isEmpty: boolean;
  /** All texts in their order. */
  readonly pieces: readonly Piece[];
}

/** Texts as JSON, up to the ones that have to be looked at: those of more bytes than surely fit. */
export function embeddingPieces(
  request: Pick<EmbedRequest, 'input'>,
  { surelyFitsBytes, mostCharacters }: TextBounds,
): EmbeddingPieces {
  const texts = textsOf(request);
  const pieces: Piece[] = [];
  let short: string[] = [];
  const endShort = (): void => {
    if (short.length > 0) pieces.push(new TextEncoder().encode(JSON.stringify(short).slice(1, -1)));
    short = [];
  };
  for (const text of texts) {
    if (Buffer.byteLength(text) <= surelyFitsBytes) short.push(text);
    else {
      endShort();
      pieces.push({ beginning: text.slice(0, mostCharacters), isWhole: text.length <= mostCharacters });
    }
  }
  endShort();
  return { isEmpty: texts.length === 0, pieces };
}

/** What llama-server's `/v1/embeddings` is asked, in parts that are sent one after the other. */
export function embeddingsCall(model: string, inputs: readonly Uint8Array[]): Uint8Array[] {
  const head = `{"model":${JSON.stringify(model)},"encoding_format":"float","input":[`;
  const parts = inputs.flatMap((input, i) => (i === 0 ? [input] : [Buffer.from(','), input]));
  return [Buffer.from(head), ...parts, Buffer.from(']}')];
}

interface EmbeddingsJson {
  readonly data?: readonly { readonly index?: number; readonly embedding?: readonly number[] }[];
  readonly usage?: { readonly prompt_tokens?: number };
}

export interface Embeddings {
  /** In the order of the texts. */
  readonly vectors: readonly (readonly number[])[];
  readonly promptTokens: number;
}

/** Reads the reply of `/v1/embeddings`; with `dimensions` the vectors are cut to so many, and are of length 1 again. */
export const readEmbeddings = (json: unknown, dimensions = 0): Embeddings => {
  const { data = [], usage } = json as EmbeddingsJson;
  const inOrder = data.toSorted((a, b) => (a.index ?? 0) - (b.index ?? 0));
  return {
    vectors: inOrder.map(({ embedding = [] }) =>
      dimensions > 0 && dimensions < embedding.length
        ? normalised(embedding.slice(0, dimensions))
        : embedding,
    ),
    promptTokens: usage?.prompt_tokens ?? 0,
  };
};

const normalised = (vector: readonly number[]): readonly number[] => {
  const length = Math.hypot(...vector);
  return length === 0 ? vector : vector.map((value) => value / length);
};
