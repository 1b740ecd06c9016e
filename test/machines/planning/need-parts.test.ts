import { expect } from 'chai';
import type { ModelShape } from '../../../machines/planning/memory-need.ts';
import { needParts, totalsOf, type NeedQuestion } from '../../../machines/planning/need-parts.ts';
import { readArguments } from '../../../machines/planning/server-options.ts';

const MIB = 1024 ** 2;
const LAYERS = 4;

/** Four layers of 100 MiB, of which 80 are experts, and ends of 50 MiB each. */
const tensors = [
  { name: 'token_embd.weight', bytes: 50 * MIB },
  { name: 'output.weight', bytes: 50 * MIB },
  ...Array.from({ length: LAYERS }, (_, i) => [
    { name: `blk.${i}.attn_q.weight`, bytes: 20 * MIB },
    { name: `blk.${i}.ffn_up_exps.weight`, bytes: 80 * MIB },
  ]).flat(),
];
const shape: ModelShape = {
  weightsBytes: 500 * MIB,
  tokenEmbeddingBytes: 50 * MIB,
  layers: LAYERS,
  embeddingLength: 1024,
  feedForwardLength: 3072,
  heads: 8,
  attention: Array.from({ length: LAYERS }, () => ({
    kvHeads: 4,
    keyLength: 128,
    valueLength: 128,
    windowTokens: null,
  })),
  recurrentBytesPerSlot: 0,
  vocabulary: 1000,
  trainedContextTokens: 8192,
};
/** 8 MiB for each layer. */
const KV_MIB = (4096 * 4 * 256 * 2) / MIB;

const ask = (args: readonly string[], over: Partial<NeedQuestion> = {}) =>
  needParts({
    model: { shape, tensors },
    need: { contextTokens: 4096, slots: 1 },
    options: readArguments(args).options,
    projectorBytes: 0,
    adapterBytes: 0,
    promptCacheBytes: 0,
    runtimeBytes: 0,
    ...over,
  });
const listed = (parts: ReturnType<typeof ask>): string[] =>
  parts
    .filter((part) => part.of !== 'compute buffers')
    .map(({ of, bytes, inMainMemory }) => `${of} ${bytes / MIB}${inMainMemory ? ' in main memory' : ''}`);

describe('the parts of a need', () => {
  const all = [`weights 500`, `KV cache ${LAYERS * KV_MIB}`];
  for (const [title, args, over, says] of [
    ['all on the device', [], {}, all],
    ['experts', ['--cpu-moe'], {}, ['weights 180', 'experts 320 in main memory', all[1]]],
    ['experts of some layers', ['-ncmoe', '3'], {}, ['weights 260', 'experts 240 in main memory', all[1]]],
    [
      'tensors by their names',
      ['-ot', 'blk\\.[01]\\..*exps=CPU'],
      {},
      ['weights 340', 'experts 160 in main memory', all[1]],
    ],
    ['tensors on another device', ['-ot', 'exps=CUDA1', '--cpu-moe'], {}, all],
    ['a pattern that is none', ['-ot', '(=CPU'], {}, all],
    ['the cache', ['--no-kv-offload'], {}, ['weights 500', `KV cache ${LAYERS * KV_MIB} in main memory`]],
    [
      'the first layers',
      [],
      { gpuLayers: 2 },
      // The output and the last one go to the GPU.
      [
        'weights 200',
        'weights 300 in main memory',
        `KV cache ${KV_MIB}`,
        `KV cache ${3 * KV_MIB} in main memory`,
      ],
    ],
    [
      'a projector and adapters',
      [],
      { projectorBytes: 100 * MIB, adapterBytes: MIB },
      [...all, 'projector 100', 'adapters 1'],
    ],
    [
      'a projector on the CPU',
      ['--no-mmproj-offload'],
      { projectorBytes: 100 * MIB },
      [...all, 'projector 100 in main memory'],
    ],
    [
      'a quantised cache',
      ['-ctk', 'q8_0'],
      { need: { contextTokens: 4096, slots: 1, cacheTypeK: 'q8_0' } },
      ['weights 500', `KV cache ${(LAYERS * KV_MIB * (1 + 17 / 32)) / 2}`],
    ],
  ] as readonly (readonly [string, string[], Partial<NeedQuestion>, (string | undefined)[]])[])
    it(`tell where they are: ${title}`, () => expect(listed(ask(args, over))).to.deep.equal(says));

  it('scale what is listed to the size of a split model', () => {
    const parts = ask(['--cpu-moe'], { model: { shape: { ...shape, weightsBytes: 1000 * MIB }, tensors } });

    expect(listed(parts).slice(0, 2)).to.deep.equal(['weights 360', 'experts 640 in main memory']);
  });

  it('leave room on the device for the experts that come to visit', () => {
    const computeOf = (args: string[]) => ask(args).find((part) => part.of === 'compute buffers')?.bytes ?? 0;

    expect(computeOf(['--cpu-moe']) - computeOf([])).to.equal(80 * MIB);
  });

  it('count a draft model with a cache of its own', () => {
    const draft = { shape: { ...shape, weightsBytes: 60 * MIB }, tensors: [] };
    const bytesOf = (args: string[]) => ask(args, { draft }).find((part) => part.of === 'draft model');

    expect(bytesOf([])?.bytes).to.be.greaterThan((60 + LAYERS * KV_MIB) * MIB);
    expect(bytesOf([])).to.not.have.property('inMainMemory');
    expect(bytesOf(['-ngld', '0'])?.inMainMemory).to.equal(true);
    expect(bytesOf(['-ctkd', 'q8_0'])?.bytes).to.be.lessThan(bytesOf([])?.bytes ?? 0);
  });

  it('add up', () => {
    const totals = totalsOf([
      { of: 'weights', bytes: 10.2 },
      { of: 'KV cache', bytes: 5.1 },
      { of: 'experts', bytes: 7, inMainMemory: true },
    ]);

    expect(totals).to.deep.equal({ needBytes: 16, hostBytes: 7 });
  });
});

describe('what a server keeps in main memory beside its layers', () => {
  const partsWith = (over: Partial<NeedQuestion>, args: readonly string[] = []): string[] =>
    listed(ask(args, over)).filter((text) => /outputs|checkpoints|runtime/.test(text));
  const sliding = {
    ...shape,
    attention: shape.attention.map((layer, i) => ({ ...layer, windowTokens: i % 2 === 0 ? 512 : null })),
  };
  const need = { contextTokens: 4096, slots: 2, outputTokens: 2 };
  /** Of two layers: a window of 512 tokens, keys and values of 4 heads of 128 in 2 bytes. */
  const stateMiB = (2 * 512 * 4 * 256 * 2) / MIB;

  it('is the logits of what it samples, and of all of a batch with vectors where it embeds', () => {
    expect(partsWith({ need })).to.deep.equal([`outputs ${(2 * 4 * 1000) / MIB} in main memory`]);
    expect(partsWith({ need: { ...need, outputTokens: 512 }, embedding: true })).to.deep.equal([
      `outputs ${(512 * 4 * (1000 + 1024)) / MIB} in main memory`,
    ]);
  });

  it('is states to go back to where layers slide: three of each slot, or as many as arguments say', () => {
    const model = { shape: sliding, tensors };

    expect(partsWith({ model, need: { ...need, batchTokens: 512 } })[1]).to.equal(
      `checkpoints ${2 * 3 * stateMiB} in main memory`,
    );
    expect(partsWith({ model, need }, ['--ctx-checkpoints', '1'])[1]).to.equal(
      `checkpoints ${2 * stateMiB} in main memory`,
    );
    for (const [args, over] of [
      [['-ctxcp', '0'], {}],
      [[], { embedding: true }],
      [[], { need: { ...need, fullWindows: true } }],
    ] as const)
      expect(partsWith({ model, need, ...over }, args)).to.have.length(1);
  });

  it('is the program itself', () => {
    expect(partsWith({ serverBytes: 3 * MIB })).to.deep.equal(['runtime 3 in main memory']);
  });
});
