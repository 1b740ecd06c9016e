import { mkdtemp, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gguf } from '@huggingface/gguf';
import { expect } from 'chai';
import type { Failure } from '../../machines/failures.ts';
import { generateGguf } from '../../src/models/generate-gguf.ts';
import { parseGgufHeader } from '../../src/models/parse-gguf-header.ts';
import { readGgufHeader } from '../../src/models/read-gguf-header.ts';
import { ModelFileError, readModelFile } from '../../src/models/read-model-file.ts';

describe('reading models', () => {
  let folder: string;
  const file = (name: string): string => join(folder, `${name}.gguf`);
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'corral-read-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  describe('a model file', () => {
    it('tells its size, its name and its shape', async () => {
      const { bytes } = await generateGguf(file('chat'), { name: 'talker' });
      const { shape, ...read } = await readModelFile(file('chat'));

      expect(read).to.include({ bytes, architecture: 'llama', title: 'talker' });
      expect(read).to.include({ isEmbedding: false, hasChatTemplate: true });
      expect(shape).to.include({
        weightsBytes: bytes,
        layers: 2,
        heads: 4,
        embeddingLength: 64,
        feedForwardLength: 128,
        trainedContextTokens: 2048,
        recurrentBytesPerSlot: 0,
        tokenEmbeddingBytes: shape.vocabulary * 64 * 2,
      });
      expect(shape.attention).to.deep.equal(
        Array.from({ length: 2 }, () => ({ kvHeads: 2, keyLength: 16, valueLength: 16, windowTokens: null })),
      );
    });

    it('of an embedding model says so, and has no cache', async () => {
      await generateGguf(file('embed'), { kind: 'embedding' });
      const { isEmbedding, hasChatTemplate, shape } = await readModelFile(file('embed'));

      expect({ isEmbedding, hasChatTemplate }).to.deep.equal({ isEmbedding: true, hasChatTemplate: false });
      expect(shape.attention.map(({ kvHeads }) => kvHeads)).to.deep.equal([0, 0]);
    });

    it('is read as another program reads it', async () => {
      await generateGguf(file('chat'));
      const { metadata, tensorInfos, tensorDataOffset } = await gguf(file('chat'), { allowLocalFile: true });
      const { pairs, tensors, dataOffsetBytes } = await readGgufHeader(file('chat'));

      expect(dataOffsetBytes).to.equal(Number(tensorDataOffset));
      expect(tensors.map(({ name, offsetBytes }) => [name, offsetBytes])).to.deep.equal(
        tensorInfos.map(({ name, offset }) => [name, Number(offset)]),
      );
      for (const [key, value] of pairs) {
        const expected: unknown = Reflect.get(metadata, key);
        if (typeof value === 'object') expect(expected).to.have.length(value.length);
        else expect(expected, key).to.equal(value);
      }
    });

    it('of several parts is counted as a whole, and missed as a whole', async () => {
      const { bytes } = await generateGguf(file('m-00001-of-00002'));
      expect(await failureOf(file('m-00001-of-00002'))).to.include({
        code: 'model_file_missing',
        message: `${file('m-00001-of-00002')} has 1 of its 2 parts. There is no m-00002-of-00002.gguf.`,
      });

      await writeFile(file('m-00002-of-00002'), Buffer.alloc(1_000));

      expect((await readModelFile(file('m-00001-of-00002'))).bytes).to.equal(bytes + 1_000);
    });

    it('of several parts names the ones that are not there, of many the first few', async () => {
      await generateGguf(file('m-00003-of-00007'));

      expect((await failureOf(file('m-00001-of-00007'))).message).to.equal(
        `${file('m-00001-of-00007')} has 1 of its 7 parts. There is no m-00001-of-00007.gguf, ` +
          'm-00002-of-00007.gguf, m-00004-of-00007.gguf and 3 more.',
      );
    });

    it('of several parts is missing when a part is a link to nothing', async () => {
      await generateGguf(file('m-00001-of-00002'));
      await symlink('nowhere', file('m-00002-of-00002'));

      expect(await failureOf(file('m-00001-of-00002'))).to.deep.equal({
        code: 'model_file_missing',
        message: `${file('m-00002-of-00002')} cannot be opened: there is no such file or folder`,
      });
    });
  });

  describe('a model file that cannot be used', () => {
    it('is missing when it is not there, or is a folder', async () => {
      expect(await failureOf(file('none'))).to.include({ code: 'model_file_missing' });
      expect((await failureOf(folder)).message).to.equal(
        `${folder} cannot be opened: it is a folder, not a file`,
      );
    });

    it('is invalid when it is something else, and tells what it begins with', async () => {
      await writeFile(file('zip'), 'PK..and more');

      expect(await failureOf(file('zip'))).to.deep.equal({
        code: 'model_file_invalid',
        message: `${file('zip')} is not a usable model: it begins with "PK..", a GGUF file with "GGUF".`,
      });
    });

    it('is invalid when its version is unknown', async () => {
      await writeFile(file('future'), Buffer.from('GGUF\u0009\0\0\0'));

      expect((await failureOf(file('future'))).message).to.contain('it is of GGUF version 9');
    });

    it('is invalid when its header makes no sense', async () => {
      await generateGguf(file('broken'));
      const bytes = await readFile(file('broken'));
      // The type of the first value, after magic, version, two counts and the first key.
      const keyLength = Number(bytes.readBigUInt64LE(24));
      bytes.writeUInt32LE(77, 32 + keyLength);
      await writeFile(file('broken'), bytes);

      expect((await failureOf(file('broken'))).message).to.contain('a value of the unknown type 77');
    });

    for (const { title, keep, reason } of [
      { title: 'nothing', keep: () => 0, reason: 'cut off within its header, at byte 0' },
      { title: 'part of its header', keep: () => 200, reason: 'cut off within its header, at byte 200' },
      { title: 'half of its data', keep: (size: number) => size / 2, reason: 'it is cut off: ' },
      {
        title: 'all but its last bytes',
        keep: (size: number) => size - 40,
        reason: 'ffn_down.weight ends at byte',
      },
    ])
      it(`is invalid when a download left ${title}`, async () => {
        const { bytes } = await generateGguf(file('cut'));
        await truncate(file('cut'), keep(bytes));
        const { code, message } = await failureOf(file('cut'));

        expect(code).to.equal('model_file_invalid');
        expect(message).to.contain(reason);
      });

    it('does not keep the next one from being read', async () => {
      await writeFile(file('bad'), 'nothing of that kind');
      await generateGguf(file('good'));
      const results = await Promise.allSettled(
        ['bad', 'good', 'none', 'good'].map((name) => readModelFile(file(name))),
      );

      expect(results.map(({ status }) => status)).to.deep.equal([
        'rejected',
        'fulfilled',
        'rejected',
        'fulfilled',
      ]);
    });
  });

  describe('the header of a model', () => {
    it('wants more bytes wherever it is cut', async () => {
      await generateGguf(file('chat'));
      const { dataOffsetBytes } = await readGgufHeader(file('chat'));
      const bytes = await readFile(file('chat'));
      // The padding before the data begins is less than this.
      for (let length = 0; length < dataOffsetBytes - 32; length += 97)
        expect(parseGgufHeader(bytes.subarray(0, length)), `${length} bytes`).to.equal(null);

      expect(parseGgufHeader(bytes)).to.not.equal(null);
    });
  });
});

async function failureOf(path: string): Promise<Failure> {
  const error = await readModelFile(path).catch((thrown: unknown) => thrown);
  if (!(error instanceof ModelFileError)) throw new Error('it was read');
  return error.failure;
}
