import { expect } from 'chai';
import { Ollama } from 'ollama';
import { cutTokens } from '../../src/http/ollama/cut-tokens.ts';
import { tokenLimitOf } from '../../src/http/ollama/token-limit.ts';
import type { LaunchOptions } from '../../machines/vocabulary.ts';
import { runtimes, startCorral, type Corral } from '../support/corral.ts';
import { writeModels, type TestModels } from '../support/models.ts';

/** The beginning is all that fits. */
const LONG = `${'word '.repeat(900)}and something else`;

describe("Ollama's embeddings", () => {
  let models: TestModels;
  before(async () => {
    models = await writeModels(['embed']);
  });
  after(() => models.remove());

  for (const runtime of runtimes)
    describe(`on ${runtime}`, function () {
      this.timeout(60_000);
      let corral: Corral;
      let client: Ollama;
      before(async () => {
        corral = await startCorral(runtime, { models: models.config(['embed']), defaults: { context: 256 } });
        client = new Ollama({ host: corral.url });
      });
      after(() => corral.close());

      it('cut a text that is too long, unless they are told not to, and no other', async () => {
        const { embeddings, prompt_eval_count: counted } = await client.embed({
          model: 'embed',
          input: [LONG, 'short'],
        });
        const other = await client.embed({ model: 'embed', input: `${LONG} and more`, truncate: true });
        const short = await client.embed({ model: 'embed', input: 'short' });

        expect(embeddings.map(({ length }) => length)).to.deep.equal([64, 64]);
        expect(counted)
          .to.be.at.most(256 + 12)
          .and.to.be.greaterThan(250);
        for (const [at, value] of (embeddings[0] ?? []).entries())
          expect(value).to.be.closeTo(other.embeddings[0]?.[at] ?? NaN, 1e-4);
        for (const [at, value] of (embeddings[1] ?? []).entries())
          expect(value).to.be.closeTo(short.embeddings[0]?.[at] ?? NaN, 1e-3);
        expect(corral.leases.counts).to.deep.equal({ waiting: 0, held: 0 });
      });

      it("refuse it with Ollama's error when it may not be cut", async () => {
        const error: unknown = await client
          .embed({ model: 'embed', input: ['short', LONG], truncate: false })
          .catch((thrown: unknown) => thrown);

        expect(error).to.include({ name: 'ResponseError', status_code: 400 });
        expect(String(error)).to.match(/the input length exceeds the context length/);
        const fits = await client.embed({ model: 'embed', input: 'x'.repeat(200), truncate: false });
        expect(fits.embeddings).to.have.length(1);
      });

      it('cut it for the older path as well', async () => {
        const { embedding } = await client.embeddings({ model: 'embed', prompt: LONG });
        const { embeddings } = await client.embed({ model: 'embed', input: LONG });

        expect(embedding).to.have.length(64);
        for (const [at, value] of embedding.entries())
          expect(value).to.be.closeTo(embeddings[0]?.[at] ?? NaN, 1e-4);
      });

      it('have as many dimensions as are asked for, all with fewer than one', async () => {
        const lengthWith = async (dimensions: number): Promise<number | undefined> =>
          (await client.embed({ model: 'embed', input: LONG, dimensions })).embeddings[0]?.length;

        expect(await lengthWith(8)).to.equal(8);
        expect(await lengthWith(1_000)).to.equal(64);
        expect(await lengthWith(-1)).to.equal(64);
      });
    });

  if (runtimes.includes('llama-server'))
    it('are cut to the batch that the arguments of a model say', async function () {
      this.timeout(60_000);
      const args = ['--ubatch-size', '64', '--batch-size', '64'];
      const corral = await startCorral('llama-server', {
        models: models.config(['embed'], { embed: { args } }),
      });
      try {
        const client = new Ollama({ host: corral.url });
        const { prompt_eval_count: counted } = await client.embed({ model: 'embed', input: LONG });
        expect(counted).to.equal(64);
      } finally {
        await corral.close();
      }
    });

  it('keep the marks that begin and end a text', () => {
    expect(cutTokens([2, 5, 6, 7, 3], [2, 3], 4)).to.deep.equal([2, 5, 6, 3]);
    expect(cutTokens([1, 5, 6, 7], [1], 3)).to.deep.equal([1, 5, 6]);
    expect(cutTokens([5, 6, 7, 1], [1], 3)).to.deep.equal([5, 6, 1]);
    expect(cutTokens([5, 6, 7], [], 2)).to.deep.equal([5, 6]);
  });

  it('are limited by the least of context, training and batch', () => {
    const launch: LaunchOptions = {
      runtime: 'llama-server',
      modelPath: '',
      adapterPaths: [],
      contextTokens: 2_048,
      slots: 2,
      embedding: true,
      extraArgs: [],
    };
    const limit = (extraArgs: string[], trained: number | null = null): number =>
      tokenLimitOf({ ...launch, extraArgs }, trained);

    expect(limit([])).to.equal(2_048);
    expect(limit([], 512)).to.equal(512);
    expect(limit(['-c', '1000'])).to.equal(500);
    expect(limit(['-c', '1000', '-np', '4'])).to.equal(250);
    expect(limit(['-ub', '128', '-b', '64'])).to.equal(64);
  });
});
