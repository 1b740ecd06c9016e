import type { EmbedRequest } from './requests.ts';

/** The texts of `/api/embed`; none when there is nothing to embed. */
export const textsOf = ({ input }: Pick<EmbedRequest, 'input'>): readonly string[] => {
  if (typeof input === 'string') return input === '' ? [] : [input];
  return input ?? [];
};

/** A text, or the tokens that are left of one that was cut. */
export type EmbeddingInput = string | readonly number[];

/** What llama-server's `/v1/embeddings` is asked. */
export const embeddingsCall = (model: string, input: readonly EmbeddingInput[]): object => ({
  model,
  input,
  encoding_format: 'float',
});

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
