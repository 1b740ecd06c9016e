import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { predictNeed } from '../../machines/planning/memory-need.ts';
import { generateGguf } from '../../src/models/generate-gguf.ts';
import { ModelFileError, readModelFile } from '../../src/models/read-model-file.ts';
import { scanFolders } from '../../src/models/scan-folders.ts';
import { toHalf } from '../../src/models/half-float.ts';

const MIB = 1024 ** 2;

describe('model files', () => {
  let folder: string;
  const file = (name: string): string => join(folder, name);
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'corral-gguf-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  const failureOf = async (path: string) => {
    const error = await readModelFile(path).catch((thrown: unknown) => thrown);
    if (!(error instanceof ModelFileError)) throw new Error('it was read');
    return error.failure;
  };

  it('come out the same, byte for byte, for the same seed', async () => {
    const hash = async (path: string): Promise<string> =>
      createHash('sha256')
        .update(await readFile(path))
        .digest('hex');
    await generateGguf(file('a.gguf'), { seed: 7 });
    await generateGguf(file('b.gguf'), { seed: 7 });
    await generateGguf(file('c.gguf'), { seed: 8 });

    expect(await hash(file('a.gguf'))).to.equal(await hash(file('b.gguf')));
    expect(await hash(file('a.gguf'))).to.not.equal(await hash(file('c.gguf')));
  });

  it('tell their size and shape', async () => {
    const { bytes } = await generateGguf(file('chat.gguf'), { name: 'talker' });
    const read = await readModelFile(file('chat.gguf'));

    expect(read).to.include({ bytes, architecture: 'llama', title: 'talker', isEmbedding: false });
    expect(read.shape).to.deep.include({
      layers: 2,
      heads: 4,
      kvHeads: [2, 2],
      keyLength: 16,
      trainedContextTokens: 2048,
    });
  });

  it('tell whether they embed', async () => {
    await generateGguf(file('embed.gguf'), { kind: 'embedding' });

    expect((await readModelFile(file('embed.gguf'))).isEmbedding).to.equal(true);
  });

  it('grow to about the size that is asked for', async () => {
    const { bytes } = await generateGguf(file('big.gguf'), { targetBytes: 60 * 1e6 });

    expect(bytes).to.be.within(45e6, 75e6);
  });

  it('that are missing, foreign or cut off are told apart', async () => {
    await writeFile(file('foreign.gguf'), 'PK..');
    await generateGguf(file('cut.gguf'));
    await truncate(file('cut.gguf'), 150_000);

    expect(await failureOf(file('none.gguf'))).to.include({ code: 'model_file_missing' });
    expect((await failureOf(file('foreign.gguf'))).message).to.contain('begins with "PK.."');
    expect((await failureOf(file('cut.gguf'))).message).to.contain('cut off');
  });

  it('of one model in parts are counted together, and missed together', async () => {
    await generateGguf(file('m-00001-of-00002.gguf'));
    expect(await failureOf(file('m-00001-of-00002.gguf'))).to.include({ code: 'model_file_missing' });

    await writeFile(file('m-00002-of-00002.gguf'), Buffer.alloc(1_000));
    const first = (await readFile(file('m-00001-of-00002.gguf'))).length;

    expect((await readModelFile(file('m-00001-of-00002.gguf'))).bytes).to.equal(first + 1_000);
  });

  it('are found below folders; projectors and later parts are none', async () => {
    await mkdir(file('deep'));
    for (const name of [
      'b.gguf',
      'mmproj-b.gguf',
      'deep/a-00001-of-00002.gguf',
      'deep/a-00002-of-00002.gguf',
      'x.txt',
    ])
      await writeFile(file(name), '');

    const { models, warnings } = await scanFolders([folder, '/nowhere']);

    expect(models.map(({ name }) => name)).to.deep.equal(['b', 'a']);
    expect(warnings).to.have.length(1);
  });
});

describe('the memory of a model', () => {
  // As llama-fit-params printed it for a generated model of 8 layers, width 1024, feed-forward 3072, vocabulary 512.
  const shape = {
    weightsBytes: 186 * MIB,
    layers: 8,
    embeddingLength: 1024,
    feedForwardLength: 3072,
    heads: 16,
    kvHeads: Array.from({ length: 8 }, () => 4),
    keyLength: 64,
    valueLength: 64,
    vocabulary: 512,
    trainedContextTokens: 8192,
    slidingWindowTokens: null,
  };
  for (const { contextTokens, slots, cacheType, kvMiB, computeMiB } of [
    { contextTokens: 2048, slots: 1, cacheType: 'f16', kvMiB: 16, computeMiB: 28 },
    { contextTokens: 8192, slots: 1, cacheType: 'f16', kvMiB: 64, computeMiB: 34 },
    { contextTokens: 2048, slots: 4, cacheType: 'f16', kvMiB: 64, computeMiB: 34 },
    { contextTokens: 8192, slots: 1, cacheType: 'q8_0', kvMiB: 34, computeMiB: 34 },
  ])
    it(`is llama.cpp's own figure at ${contextTokens} × ${slots} tokens, ${cacheType}`, () => {
      const need = predictNeed(shape, { contextTokens, slots, cacheTypeK: cacheType, cacheTypeV: cacheType });

      expect(need.kvBytes / MIB).to.equal(kvMiB);
      expect(need.computeBytes / MIB).to.be.closeTo(computeMiB, 1);
      expect(need.totalBytes).to.equal(need.weightsBytes + need.kvBytes + need.computeBytes);
    });
});

describe('half floats', () => {
  for (const [value, bits] of [
    [0, 0],
    [1, 0x3c00],
    [-2, 0xc000],
    [65_504, 0x7bff],
    [1e9, 0x7bff],
    [1e-9, 0],
  ] as const)
    it(`writes ${value} as 0x${bits.toString(16)}`, () => expect(toHalf(value)).to.equal(bits));
});
