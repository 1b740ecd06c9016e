import { execFile } from 'node:child_process';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { generateGguf } from '../../src/models/generate-gguf.ts';
import { ModelFileError, readModelFile } from '../../src/models/read-model-file.ts';
import { chat, startCorral, type Corral } from '../support/corral.ts';
import { rawGguf, rawList, rawTensor, TYPE, type RawHeader, type RawPair } from '../support/raw-gguf.ts';

const ARCHITECTURE: RawPair = ['general.architecture', TYPE.text, 'llama'];
const lying = (...pairs: readonly RawPair[]): RawHeader => ({ pairs: [ARCHITECTURE, ...pairs] });

const LIES: readonly { title: string; header: RawHeader; says: string }[] = [
  {
    title: 'four billion layers',
    header: lying(['llama.block_count', TYPE.u32, 2 ** 32 - 1]),
    says: 'its llama.block_count is 4294967295, where a whole number up to 512 belongs',
  },
  {
    title: 'half a layer',
    header: lying(['llama.block_count', TYPE.f32, 0.5]),
    says: 'its llama.block_count is 0.5, where a whole number',
  },
  {
    title: 'fewer heads than none',
    header: lying(['llama.block_count', TYPE.u32, 2], ['llama.attention.head_count', TYPE.i32, -4]),
    says: 'its llama.attention.head_count is -4',
  },
  {
    title: 'a vocabulary that is no number',
    header: lying(['llama.vocab_size', TYPE.f64, NaN]),
    says: 'its llama.vocab_size is NaN',
  },
  {
    title: 'a context beyond all counting',
    header: lying(['llama.context_length', TYPE.u64, 2n ** 64n - 1n]),
    says: 'its llama.context_length is 18446744073709552000',
  },
  {
    title: 'an alignment that is no power of two',
    header: lying(['general.alignment', TYPE.u32, 48]),
    says: 'its general.alignment is 48, where a power of two belongs',
  },
  {
    title: 'more keys than there are bytes',
    header: { ...lying(), pairCount: 2n ** 63n },
    says: 'its header has 9223372036854776000 keys',
  },
  {
    title: 'more tensors than there are bytes',
    header: { ...lying(), tensorCount: 2n ** 63n },
    says: 'its header has 9223372036854776000 tensors',
  },
  {
    title: 'a tensor of a thousand dimensions',
    header: {
      ...lying(),
      tensors: [
        rawTensor(
          'x',
          Array.from({ length: 1_000 }, () => 2n),
        ),
      ],
    },
    says: 'its header has 1000 dimensions of x',
  },
  {
    title: 'a list that never ends',
    header: lying(['tokenizer.ggml.tokens', TYPE.list, rawList(TYPE.text, 2n ** 60n, Buffer.alloc(4_000))]),
    says: 'its header has 1152921504606847000 words, more than the 4000000',
  },
  {
    title: 'megabytes of names',
    header: lying(
      ...Array.from({ length: 30 }, (_, i): RawPair => [`key.${i}`, TYPE.text, 'x'.repeat(250_000)]),
    ),
    says: 'its header has more than 4194304 bytes of text besides its vocabulary',
  },
];

describe('a model file that lies about what it holds', function () {
  this.timeout(120_000);
  let folder: string;
  const file = (name: string): string => join(folder, `${name}.gguf`);
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'corral-lies-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  for (const { title, header, says } of LIES)
    it(`is refused by what is wrong with it: ${title}`, async () => {
      await writeFile(file('liar'), rawGguf(header));
      const error: unknown = await readModelFile(file('liar')).catch((thrown: unknown) => thrown);

      expect(error).to.be.instanceOf(ModelFileError);
      expect(String(error)).to.contain(`${file('liar')} is not a usable model: ${says}`);
    });

  it('is read no further than a header goes, however large it is', async () => {
    const endless = rawList(TYPE.u32, 2n ** 32n, Buffer.alloc(0));
    await writeFile(file('large'), rawGguf(lying(['tokenizer.ggml.tokens', TYPE.list, endless])));
    await truncate(file('large'), 2 ** 33);
    const error: unknown = await readModelFile(file('large')).catch((thrown: unknown) => thrown);

    expect(String(error)).to.contain('its header does not end');
    await rm(file('large'));
  });

  it('takes bounded memory and time, however it is broken', async () => {
    const fixture = new URL('../fixtures/read-mutated-models.ts', import.meta.url).pathname;
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--import',
      'tsx',
      '--conditions=development',
      '--max-old-space-size=96',
      fixture,
    ]);

    // Most are broken in a way that is told; of the others, what they need is a number.
    expect((JSON.parse(stdout) as { usable: number }).usable).to.be.greaterThan(50);
  });

  describe('among those that Corral serves', () => {
    let corral: Corral;
    before(async () => {
      for (const [i, { header }] of LIES.entries()) await writeFile(file(`liar-${i}`), rawGguf(header));
      await generateGguf(file('honest'));
      corral = await startCorral(
        'embedded',
        { folders: [folder], defaults: { context: 'auto' } },
        { read: () => corral.reloader.config },
      );
    });
    after(() => corral.close());

    it('has a problem that is told, and spoils nothing for the others', async () => {
      const answer = await corral.post('/v1/chat/completions', chat('honest', { max_tokens: 3 }));
      const refused = await corral.post('/v1/chat/completions', chat('liar-0'));

      expect(answer.status).to.equal(200);
      expect(refused.text).to.contain('its llama.block_count is 4294967295');
    });

    it('does no more at a reload', async () => {
      await writeFile(file('late'), rawGguf(LIES[0]?.header ?? lying()));
      const { models } = await corral.reloader.reload('file');

      expect(models.map(({ name, change }) => `${name} ${change}`)).to.include('late added');
    });
  });
});
