import { expect } from 'chai';
import OpenAI from 'openai';
import { startCorral, type Corral } from '../support/corral.ts';
import { withRealModels } from '../support/real-models.ts';

/** Float32 weights, and arithmetic in another order than the authors'. */
const CLOSE = 2e-3;

/**
 * What all-MiniLM-L6-v2 answers in Sentence Transformers, as its authors have published it: the first numbers of a sentence's vector,
 * and how near three sentences are to `That is a happy person`.
 */
const FIRST = [0.0677, 0.0635, 0.0487, 0.0793, 0.0374];
const NEAR: readonly (readonly [string, number])[] = [
  ['That is a happy dog', 0.6946],
  ['That is a very happy person', 0.9429],
  ['Today is a sunny day', 0.2569],
];

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);

for (const runtime of ['llama-server', 'embedded'] as const)
  withRealModels(`a real sentence embedder on ${runtime}, through Corral`, runtime, ({ minilm }) => {
    let corral: Corral;
    let client: OpenAI;
    before(async () => {
      corral = await startCorral(runtime, { models: { minilm: { path: minilm } } });
      client = new OpenAI({ baseURL: `${corral.url}/v1`, apiKey: 'unused', maxRetries: 0 });
    });
    after(() => corral.close());
    const embed = async (...input: string[]): Promise<readonly (readonly number[])[]> => {
      const { data } = await client.embeddings.create({ model: 'minilm', input, encoding_format: 'float' });
      return data.map(({ embedding }) => embedding);
    };

    it('makes the tokens that the vocabulary of BERT has', async function () {
      this.timeout(60_000);
      const { body } = await corral.post('/tokenize', {
        model: 'minilm',
        content: 'This is an example sentence',
      });

      expect(body).to.deep.equal({ tokens: [2023, 2003, 2019, 2742, 6251] });
    });

    it('gives the vectors that its authors publish', async function () {
      this.timeout(60_000);
      const [example = []] = await embed('This is an example sentence');
      const [happy = [], ...others] = await embed('That is a happy person', ...NEAR.map(([text]) => text));

      expect(example).to.have.length(384);
      FIRST.forEach((value, index) => expect(example[index]).to.be.closeTo(value, CLOSE));
      NEAR.forEach(([text, near], index) =>
        expect(dot(happy, others[index] ?? []), text).to.be.closeTo(near, CLOSE),
      );
    });
  });
