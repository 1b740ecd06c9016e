import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildGgufHeader, GGUFValueType as Type, type GGUFTypedMetadata } from '@huggingface/gguf';
import { expect } from 'chai';
import { predictNeed, type ModelShape } from '../../machines/planning/memory-need.ts';
import { readModelFile } from '../../src/models/read-model-file.ts';

describe('the shape of a model', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'corral-shape-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  const shapeOf = (architecture: string, keys: Keys): Promise<ModelShape> =>
    readShape(join(folder, 'model.gguf'), architecture, keys);

  it('counts a large vocabulary', async () => {
    const tokens = Array.from({ length: 100_000 }, (_, i) => `token ${i}`);
    const { vocabulary, trainedContextTokens } = await shapeOf('llama', {
      'tokenizer.ggml.tokens': { value: tokens, type: Type.ARRAY, subType: Type.STRING },
      'llama.context_length': u32(4096),
    });

    expect({ vocabulary, trainedContextTokens }).to.deep.equal({
      vocabulary: 100_000,
      trainedContextTokens: 4096,
    });
  });

  for (const { title, architecture, keys, windows } of [
    { title: 'gemma3', architecture: 'gemma3', keys: {}, windows: [512, 512, 512, 512, 512, null, 512, 512] },
    {
      title: 'gpt-oss',
      architecture: 'gpt-oss',
      keys: {},
      windows: [512, null, 512, null, 512, null, 512, null],
    },
    {
      title: 'an architecture whose first layer is dense',
      architecture: 'smallthinker',
      keys: {},
      windows: [null, 512, 512, 512, null, 512, 512, 512],
    },
    {
      title: 'laguna',
      architecture: 'laguna',
      keys: {},
      windows: [null, 512, 512, 512, null, 512, 512, 512],
    },
    {
      title: 'muse-glimmer, whose header lists them',
      architecture: 'muse-glimmer',
      keys: { 'attention.sliding_window_pattern': flags([1, 1, 1, 0, 1, 1, 1, 0]) },
      windows: [512, 512, 512, null, 512, 512, 512, null],
    },
    {
      title: 'an architecture of which every layer slides',
      architecture: 'lfm2',
      keys: {},
      windows: Array.from({ length: 8 }, () => 512),
    },
    {
      title: 'a period in the header',
      architecture: 'gemma3',
      keys: { 'attention.sliding_window_pattern': u32(2) },
      windows: [512, null, 512, null, 512, null, 512, null],
    },
    {
      title: 'a list in the header',
      architecture: 'gemma4',
      keys: { 'attention.sliding_window_pattern': flags([1, 1, 0, 1, 1, 0, 1, 0]) },
      windows: [512, 512, null, 512, 512, null, 512, null],
    },
    {
      title: 'a window of 0',
      architecture: 'llama4',
      keys: { 'attention.sliding_window': u32(0) },
      windows: Array.from({ length: 8 }, () => null),
    },
    {
      title: 'a window that llama.cpp does not use',
      architecture: 'qwen2',
      keys: {},
      windows: Array.from({ length: 8 }, () => null),
    },
  ])
    it(`tells which layers slide: ${title}`, async () => {
      const { attention } = await shapeOf(architecture, {
        ...named(architecture, { ...TRANSFORMER, 'attention.sliding_window': u32(512), ...keys }),
      });

      expect(attention.map(({ windowTokens }) => windowTokens)).to.deep.equal(windows);
    });

  it('tells which layers have no cache', async () => {
    const kvHeads = { value: [0, 0, 8, 0, 0, 8, 0, 0], type: Type.ARRAY, subType: Type.INT32 };
    const cached = async (architecture: string, keys: Keys): Promise<number[]> =>
      (await shapeOf(architecture, named(architecture, { ...TRANSFORMER, ...keys }))).attention.map(
        (layer) => layer.kvHeads,
      );

    expect(await cached('granitehybrid', { 'attention.head_count_kv': kvHeads })).to.deep.equal(
      kvHeads.value,
    );
    expect(await cached('qwen3next', {})).to.deep.equal([0, 0, 0, 2, 0, 0, 0, 2]);
    expect(await cached('gemma4', { 'attention.shared_kv_layers': u32(3) })).to.deep.equal([
      2, 2, 2, 2, 2, 0, 0, 0,
    ]);
  });

  it('tells the state of recurrent layers', async () => {
    const { recurrentBytesPerSlot } = await shapeOf(
      'mamba',
      named('mamba', {
        block_count: u32(8),
        'attention.head_count': u32(0),
        'ssm.conv_kernel': u32(4),
        'ssm.inner_size': u32(2048),
        'ssm.state_size': u32(16),
      }),
    );

    // llama-fit-params of llama.cpp v0.4: 19 MiB for 16 slots.
    expect((16 * recurrentBytesPerSlot) / 1024 ** 2).to.equal(19);
  });

  it('counts the one vector of latent attention once', async () => {
    const { attention } = await shapeOf(
      'deepseek2',
      named('deepseek2', {
        ...TRANSFORMER,
        'attention.head_count_kv': u32(1),
        'attention.key_length': u32(576),
        'attention.value_length': u32(512),
        'attention.key_length_mla': u32(192),
        'attention.value_length_mla': u32(128),
      }),
    );

    expect(attention[0]).to.include({ kvHeads: 1, keyLength: 576, valueLength: 0 });
  });
});

describe('what sparse attention keeps beside it', () => {
  const LISTED = { type: Type.ARRAY, subType: Type.INT32 };
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'corral-shape-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  const cachesOf = async (architecture: string, keys: Keys): Promise<ModelShape['attention']> => {
    const all = named(architecture, { ...TRANSFORMER, 'attention.indexer.key_length': u32(128), ...keys });
    return (await readShape(join(folder, 'model.gguf'), architecture, all)).attention;
  };
  const indexer = { kvHeads: 1, keyLength: 128, valueLength: 0, windowTokens: null };

  it('is a key of each layer’s indexer, where the header says that it has one', async () => {
    const dots = await cachesOf('dots3note', {
      'attention.key_length': u32(576),
      'attention.key_length_mla': u32(192),
      'attention.key_length_swa': u32(320),
      'attention.sliding_window': u32(512),
      'attention.sliding_window_pattern': flags([1, 1, 1, 0, 1, 1, 1, 0]),
      'attention.indexer.types': { value: [0, 0, 0, 1, 0, 0, 0, 1], ...LISTED },
    });

    expect(dots.map(({ keyLength, windowTokens }) => [keyLength, windowTokens])).to.deep.equal([
      ...[0, 1].flatMap(() => [
        [320, 512],
        [320, 512],
        [320, 512],
        [576, null],
      ]),
      [128, null],
      [128, null],
    ]);
    expect(dots.map(({ valueLength }) => valueLength)).to.deep.equal(dots.map(() => 0));
    expect((await cachesOf('deepseek32', {})).slice(8)).to.deep.equal(
      Array.from({ length: 8 }, () => indexer),
    );
  });

  it('is one entry for many tokens in deepseek4, whose layers slide', async () => {
    const caches = await cachesOf('deepseek4', {
      'attention.key_length': u32(512),
      'attention.sliding_window': u32(128),
      'attention.compress_ratios': { value: [0, 0, 4, 128, 4, 128, 4, 0], ...LISTED },
    });

    const [first, ...others] = caches.slice(0, 8);
    expect(first).to.include({ windowTokens: 128, valueLength: 0 });
    expect(others).to.deep.equal(others.map(() => first));
    expect(caches.slice(8).map(({ keyLength, tokensPerEntry }) => [keyLength, tokensPerEntry])).to.deep.equal(
      [
        ...[0, 1, 2].flatMap(() => [
          [512, 4],
          [128, 4],
        ]),
        [512, 128],
        [512, 128],
      ],
    );
    const { kvBytes } = predictNeed(
      { ...SHAPE, attention: caches },
      { contextTokens: 65_536, slots: 1, batchTokens: 512 },
    );
    // 8 windows of two heads, 3 layers with a quarter of the context, 2 with a 128th.
    expect(kvBytes).to.equal(2 * (8 * 768 * 2 * 512 + 3 * 16_384 * (512 + 128) + 2 * 512 * 512));
  });

  it('is in deepseek4 also what the next entries are made of, in each slot', async () => {
    const keys = named('deepseek4', {
      ...TRANSFORMER,
      'attention.indexer.key_length': u32(128),
      'attention.key_length': u32(512),
      'attention.sliding_window': u32(128),
      'attention.compress_ratios': { value: [0, 0, 4, 128, 4, 128, 4, 0], ...LISTED },
    });
    const { recurrentBytesPerSlot } = await readShape(join(folder, 'model.gguf'), 'deepseek4', keys);

    // Keys and scores in float32: 8 rows of 2 · 512 and of 2 · 128 in 3 layers, 128 of 512 in 2.
    expect(recurrentBytesPerSlot).to.equal(4 * 2 * (3 * 8 * 2 * (512 + 128) + 2 * 128 * 512));
  });

  it('is nothing of layers that draft for the others, where llama.cpp keeps those aside', async () => {
    const count = async (architecture: string): Promise<number> =>
      (await cachesOf(architecture, { nextn_predict_layers: u32(2) })).length;

    expect(await count('mimo2')).to.equal(6);
    expect(await count('deepseek32')).to.equal(12);
    expect(await count('glm4moe'), 'as any other layer').to.equal(8);
  });
});

const SHAPE: ModelShape = {
  weightsBytes: 0,
  tokenEmbeddingBytes: 0,
  layers: 8,
  embeddingLength: 256,
  feedForwardLength: 0,
  heads: 4,
  attention: [],
  recurrentBytesPerSlot: 0,
  vocabulary: 0,
  trainedContextTokens: 0,
};

type Keys = Record<string, { value: unknown; type: Type; subType?: Type }>;

function u32(value: number): { value: number; type: Type } {
  return { value, type: Type.UINT32 };
}
function flags(values: readonly number[]): Keys[string] {
  return { value: values.map((one) => one !== 0), type: Type.ARRAY, subType: Type.BOOL };
}

const TRANSFORMER: Keys = {
  block_count: u32(8),
  embedding_length: u32(256),
  'attention.head_count': u32(4),
  'attention.head_count_kv': u32(2),
};

const named = (architecture: string, keys: Keys): Keys =>
  Object.fromEntries(Object.entries(keys).map(([key, value]) => [`${architecture}.${key}`, value]));

/** The shape of a file that has a header and no tensors. */
async function readShape(path: string, architecture: string, keys: Keys): Promise<ModelShape> {
  const metadata = {
    version: u32(3),
    tensor_count: { value: 0n, type: Type.UINT64 },
    kv_count: { value: 0n, type: Type.UINT64 },
    'general.architecture': { value: architecture, type: Type.STRING },
    ...keys,
  };
  const header = await buildGgufHeader(new Blob([]), metadata as unknown as GGUFTypedMetadata, {
    littleEndian: true,
    tensorInfoByteRange: [0, 0],
  });
  await writeFile(path, Buffer.from(await header.arrayBuffer()));
  return (await readModelFile(path)).shape;
}
