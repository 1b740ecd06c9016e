import { expect } from 'chai';
import { predictNeed, type ModelShape } from '../../../machines/planning/memory-need.ts';

const MIB = 1024 ** 2;

/** A generated model of 8 layers: width 1024, feed-forward 3072, 4 KV heads of 64, vocabulary 512. */
const aShape = (over: Partial<ModelShape> = {}): ModelShape => ({
  weightsBytes: 186 * MIB,
  tokenEmbeddingBytes: MIB,
  layers: 8,
  embeddingLength: 1024,
  feedForwardLength: 3072,
  heads: 16,
  attention: layersOf(() => null),
  recurrentBytesPerSlot: 0,
  vocabulary: 512,
  trainedContextTokens: 8192,
  ...over,
});
const layersOf = (windowOf: (layer: number) => number | null): ModelShape['attention'] =>
  Array.from({ length: 8 }, (_, layer) => ({
    kvHeads: 4,
    keyLength: 64,
    valueLength: 64,
    windowTokens: windowOf(layer),
  }));
/** As in cohere2: three layers of four see 1024 tokens. */
const sliding = aShape({ attention: layersOf((layer) => (layer % 4 < 3 ? 1024 : null)) });

describe('the memory of a model', () => {
  // Context and compute as `llama-fit-params -c <context · slots> -np <slots> -fitp on` of llama.cpp v0.4 printed them, in MiB.
  for (const { title, shape = aShape(), options, kvMiB, computeMiB } of [
    { title: 'a slot of 2048', options: { contextTokens: 2048, slots: 1 }, kvMiB: 16, computeMiB: 28 },
    { title: 'a slot of 8192', options: { contextTokens: 8192, slots: 1 }, kvMiB: 64, computeMiB: 34 },
    { title: '4 slots of 2048', options: { contextTokens: 2048, slots: 4 }, kvMiB: 64, computeMiB: 28 },
    { title: '4 slots of 8192', options: { contextTokens: 8192, slots: 4 }, kvMiB: 256, computeMiB: 34 },
    { title: '3 slots of 333', options: { contextTokens: 333, slots: 3 }, kvMiB: 12, computeMiB: 26 },
    {
      title: 'a quantised cache',
      options: { contextTokens: 8192, slots: 1, cacheTypeK: 'q8_0', cacheTypeV: 'q8_0' },
      kvMiB: 34,
      computeMiB: 32,
    },
    {
      title: 'a batch of 2048',
      options: { contextTokens: 8192, slots: 1, batchTokens: 2048 },
      kvMiB: 64,
      computeMiB: 136,
    },
    {
      title: 'no flash attention',
      options: { contextTokens: 8192, slots: 1, flashAttention: false },
      kvMiB: 64,
      computeMiB: 283,
    },
    {
      title: 'sliding windows',
      shape: sliding,
      options: { contextTokens: 8192, slots: 1 },
      kvMiB: 25,
      computeMiB: 37,
    },
    {
      title: 'sliding windows in 4 slots',
      shape: sliding,
      options: { contextTokens: 8192, slots: 4 },
      kvMiB: 100,
      computeMiB: 37,
    },
    {
      title: 'windows wider than the context',
      shape: sliding,
      options: { contextTokens: 1024, slots: 1 },
      kvMiB: 8,
      computeMiB: 30,
    },
  ])
    it(`is what llama.cpp says for ${title}`, () => {
      const need = predictNeed(shape, options);

      expect(need.kvBytes / MIB).to.equal(kvMiB);
      expect(need.computeBytes / MIB).to.be.closeTo(computeMiB, computeMiB / 10);
      expect(need.totalBytes).to.equal(Math.ceil(need.weightsBytes + need.kvBytes + need.computeBytes));
    });

  it('counts the state of recurrent layers once per slot, whatever the context', () => {
    const shape = aShape({ attention: [], recurrentBytesPerSlot: 1000 });

    expect(predictNeed(shape, { contextTokens: 512, slots: 3 }).kvBytes).to.equal(3000);
    expect(predictNeed(shape, { contextTokens: 65_536, slots: 3 }).kvBytes).to.equal(3000);
  });
});
