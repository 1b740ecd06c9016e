import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { VOCABULARY, writeSparse, type SparseTensor } from '../models/support/sparse-models.ts';
import { realLlamaServer, startCorral } from '../support/corral.ts';

if (realLlamaServer === null)
  console.warn('Models that rank are not started: npm run llama-server builds the program for it.');

const WIDTH = 64;
const withBias = (name: string, lengths: readonly number[]): SparseTensor[] => [
  [`${name}.weight`, lengths, 'f32'],
  [`${name}.bias`, [lengths.at(-1) ?? 0]],
];

/** A bert that pools by rank, as rerankers do. */
const reranker = {
  architecture: 'bert',
  keys: {
    context_length: 512,
    embedding_length: WIDTH,
    block_count: 1,
    feed_forward_length: 2 * WIDTH,
    'attention.head_count': 4,
    'attention.layer_norm_epsilon': 1e-12,
    pooling_type: 4,
    'tokenizer.ggml.token_type_count': 2,
  },
  tensors: [
    ['token_embd.weight', [WIDTH, VOCABULARY], 'f32'],
    ['token_types.weight', [WIDTH, 2], 'f32'],
    ['position_embd.weight', [WIDTH, 512], 'f32'],
    ...withBias('token_embd_norm', [WIDTH]),
    ...withBias('cls', [WIDTH, WIDTH]),
    ...withBias('cls.output', [WIDTH, 1]),
    ...['attn_q', 'attn_k', 'attn_v', 'attn_output'].flatMap((name) =>
      withBias(`blk.0.${name}`, [WIDTH, WIDTH]),
    ),
    ...withBias('blk.0.attn_output_norm', [WIDTH]),
    ...withBias('blk.0.ffn_up', [WIDTH, 2 * WIDTH]),
    ...withBias('blk.0.ffn_down', [2 * WIDTH, WIDTH]),
    ...withBias('blk.0.layer_output_norm', [WIDTH]),
  ] satisfies SparseTensor[],
};

for (const real of realLlamaServer === null ? [] : [realLlamaServer])
  describe('a model that ranks', () => {
    it('is started so that it can be asked to', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'corral-rank-'));
      const path = join(folder, 'rank.gguf');
      await writeSparse(path, reranker);
      const corral = await startCorral('llama-server', { models: { rank: { path } } });
      try {
        const { status, text } = await corral.post('/v1/rerank', {
          model: 'rank',
          query: 'a question',
          documents: ['an answer', 'another one'],
        });

        expect(status, `${real} said: ${text}`).to.equal(200);
        expect(text).to.contain('relevance_score');
      } finally {
        await corral.close();
        await rm(folder, { recursive: true, force: true });
      }
    });
  });
