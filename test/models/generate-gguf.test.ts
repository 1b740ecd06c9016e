import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gguf } from '@huggingface/gguf';
import { expect } from 'chai';
import { getLlama, type Llama, type Token } from 'node-llama-cpp';
import { generateGguf } from '../../src/models/generate-gguf.ts';
import { toHalf } from '../../src/models/half-float.ts';

const SENTENCE = 'Nobody has taught me anything , so this is all that I can say .';

describe('a generated model', () => {
  let folder: string;
  const file = (name: string): string => join(folder, `${name}.gguf`);
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'corral-gguf-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('comes out the same, byte for byte, for the same seed', async () => {
    const hash = async (path: string): Promise<string> =>
      createHash('sha256')
        .update(await readFile(path))
        .digest('hex');
    await generateGguf(file('a'), { seed: 7 });
    await generateGguf(file('b'), { seed: 7 });
    await generateGguf(file('c'), { seed: 8 });

    expect(await hash(file('a'))).to.equal(await hash(file('b')));
    expect(await hash(file('a'))).to.not.equal(await hash(file('c')));
  });

  it('has a header that others can read', async () => {
    const { bytes } = await generateGguf(file('chat'), { name: 'talker' });
    const { metadata, tensorInfos } = await gguf(file('chat'), { allowLocalFile: true });

    expect(metadata).to.include({ 'general.architecture': 'llama', 'general.name': 'talker' });
    expect(tensorInfos).to.have.length(21);
    expect(bytes).to.equal((await readFile(file('chat'))).length);
  });

  it('grows to about the size that is asked for', async () => {
    const { bytes } = await generateGguf(file('big'), { targetBytes: 60e6 });

    expect(bytes).to.be.within(45e6, 75e6);
  });

  it('leaves nothing behind when it cannot be written', async () => {
    const error = await generateGguf(join(folder, 'no', 'folder.gguf')).catch((thrown: unknown) => thrown);

    expect(error).to.be.an('error');
    expect(await readdir(folder)).to.deep.equal([]);
  });
});

describe('a generated model, loaded,', () => {
  let llama: Llama;
  let folder: string;
  before(async () => {
    llama = await getLlama({
      gpu: false,
      build: 'never',
      skipDownload: true,
      progressLogs: false,
      logger: () => {},
      maxThreads: 1,
    });
    folder = await mkdtemp(join(tmpdir(), 'corral-gguf-'));
  });
  after(async () => {
    await llama.dispose();
    await rm(folder, { recursive: true, force: true });
  });

  it('recites its sentence and stops', async () => {
    const path = join(folder, 'chat.gguf');
    await generateGguf(path, { sentence: SENTENCE });

    expect(await recite(llama, path, 100)).to.deep.equal({ text: ` ${SENTENCE}`, stopped: true });
  });

  it('recites another one when it is larger', async () => {
    const path = join(folder, 'large.gguf');
    await generateGguf(path, { sentence: 'Larger models know no more', targetBytes: 40e6 });

    expect(await recite(llama, path, 100)).to.deep.equal({
      text: ' Larger models know no more',
      stopped: true,
    });
  });

  it('starts over without an end when it is endless', async () => {
    const path = join(folder, 'endless.gguf');
    await generateGguf(path, { endless: true, sentence: 'round and about' });

    expect(await recite(llama, path, 7)).to.deep.equal({
      text: ' round and about round and about round',
      stopped: false,
    });
  });

  it('gives alike texts alike embeddings', async () => {
    const path = join(folder, 'embed.gguf');
    await generateGguf(path, { kind: 'embedding' });
    const model = await llama.loadModel({ modelPath: path });
    const context = await model.createEmbeddingContext({ threads: 1, contextSize: 128 });
    const [one, near, far] = await Promise.all(
      ['a grey horse', 'a grey house', '17 + 4 = 21 !'].map((text) => context.getEmbeddingFor(text)),
    );

    expect(one?.vector).to.have.length(64);
    expect(one?.calculateCosineSimilarity(near ?? [])).to.be.greaterThan(
      one?.calculateCosineSimilarity(far ?? []) ?? 1,
    );
    await model.dispose();
  });
});

/** What a model says after a newline, at temperature 0. */
async function recite(
  llama: Llama,
  modelPath: string,
  most: number,
): Promise<{ text: string; stopped: boolean }> {
  const model = await llama.loadModel({ modelPath });
  const context = await model.createContext({ threads: 1, contextSize: 256 });
  const tokens: Token[] = [];
  for await (const token of context.getSequence().evaluate(model.tokenize('\n'), { temperature: 0 })) {
    if (model.isEogToken(token) || tokens.push(token) === most) break;
  }
  const text = model.detokenize(tokens);
  await model.dispose();
  return { text, stopped: tokens.length < most };
}

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
