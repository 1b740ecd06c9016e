import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { residentBytes } from '../../actors/process/resident-bytes.ts';
import { VOCABULARY, writeSparse, type SparseModel } from '../models/support/sparse-models.ts';
import { realLlamaServer, startCorral } from '../support/corral.ts';

if (realLlamaServer === null)
  console.warn('Prompt caches are not filled: npm run llama-server builds the program for it.');

const MIB = 1024 ** 2;
const WIDTH = 64;
const HEADS = 4;
const HEAD = 256;
const LAYERS = 2;
/** Small, but what it keeps of a token is not: 8 KiB. */
const model: SparseModel = {
  architecture: 'llama',
  keys: {
    context_length: 8_192,
    embedding_length: WIDTH,
    block_count: LAYERS,
    feed_forward_length: 2 * WIDTH,
    'attention.head_count': HEADS,
    'attention.head_count_kv': HEADS,
    'attention.key_length': HEAD,
    'attention.value_length': HEAD,
    'attention.layer_norm_rms_epsilon': 1e-5,
    'rope.dimension_count': HEAD,
  },
  tensors: [
    ['token_embd.weight', [WIDTH, VOCABULARY], 'f16'],
    ['output_norm.weight', [WIDTH]],
    ...Array.from({ length: LAYERS }, (_, layer) =>
      (
        [
          ['attn_norm', [WIDTH]],
          ['attn_q', [WIDTH, HEADS * HEAD]],
          ['attn_k', [WIDTH, HEADS * HEAD]],
          ['attn_v', [WIDTH, HEADS * HEAD]],
          ['attn_output', [HEADS * HEAD, WIDTH]],
          ['ffn_norm', [WIDTH]],
          ['ffn_gate', [WIDTH, 2 * WIDTH]],
          ['ffn_up', [WIDTH, 2 * WIDTH]],
          ['ffn_down', [2 * WIDTH, WIDTH]],
        ] as const
      ).map(([name, lengths]) => [`blk.${layer}.${name}.weight`, lengths] as const),
    ).flat(),
  ],
};

for (const _ of realLlamaServer === null ? [] : [realLlamaServer])
  describe('a runner whose prompts are all different', () => {
    it('keeps no more of them than is booked', async function () {
      this.timeout(120_000);
      const folder = await mkdtemp(join(tmpdir(), 'corral-prompts-'));
      const path = join(folder, 'm.gguf');
      await writeSparse(path, model);
      const corral = await startCorral('llama-server', {
        models: { m: { path, context: 4_096, slots: 1, promptCache: '32MiB' } },
      });
      try {
        const ask = async (i: number): Promise<void> => {
          const prompt = Array.from({ length: 1_000 }, (_, k) => `${i}x${k}`)
            .join(' ')
            .slice(0, 2_000);
          const { status, text } = await corral.post('/v1/completions', {
            model: 'm',
            prompt,
            max_tokens: 1,
          });
          expect(status, text).to.equal(200);
        };
        await ask(0);
        const [runner] = corral.status().runners;
        const before = (await residentBytes(runner?.pid ?? 0)) ?? 0;
        for (let i = 1; i <= 6; i++) await ask(i);
        const after = (await residentBytes(runner?.pid ?? 0)) ?? 0;

        // Each prompt would leave some 15 MiB behind, 90 in all.
        expect((after - before) / MIB).to.be.lessThan(32 + 20);
        expect(after).to.be.lessThan(runner?.reservedBytes['CPU'] ?? 0);
      } finally {
        await corral.close();
        await rm(folder, { recursive: true, force: true });
      }
    });
  });
