import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { readHuggingFaceCache } from '../../src/models/discover/hugging-face-cache.ts';
import { readLlamaCppCache } from '../../src/models/discover/llama-cpp-cache.ts';

const COMMIT = '0123456789abcdef0123456789abcdef01234567';
const OLDER = '89abcdef0123456789abcdef0123456789abcdef';

describe('caches of downloaded models', () => {
  let folder: string;
  const write = async (path: string, text = ''): Promise<void> => {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  };
  /** A file of a snapshot, as the hub's programs store it: a link to a blob. */
  const link = async (path: string, blob: string): Promise<void> => {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await symlink(join(folder, blob), join(folder, path));
  };
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'corral-cache-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  describe("Hugging Face's", () => {
    const repo = 'models--bart--Qwen-GGUF';
    const snapshot = `${repo}/snapshots/${COMMIT}`;
    beforeEach(() => write(`${repo}/refs/main`, COMMIT));

    it('gives models by repository and quantisation, with their projector', async () => {
      await write(`${repo}/blobs/1`);
      await link(`${snapshot}/Qwen-Q4_K_M.gguf`, `${repo}/blobs/1`);
      await write(`${snapshot}/Q8_0/Qwen-Q8_0-00001-of-00002.gguf`);
      await write(`${snapshot}/Q8_0/Qwen-Q8_0-00002-of-00002.gguf`);
      await write(`${snapshot}/mmproj-F16.gguf`);
      await write(`${snapshot}/README.md`);

      const { models, warnings } = await readHuggingFaceCache(folder);

      expect(warnings).to.deep.equal([]);
      expect(models.map(({ name, path, projectorPath }) => ({ name, path, projectorPath }))).to.deep.equal([
        {
          name: 'bart/Qwen-GGUF:Q8_0',
          path: join(folder, snapshot, 'Q8_0/Qwen-Q8_0-00001-of-00002.gguf'),
          projectorPath: join(folder, snapshot, 'mmproj-F16.gguf'),
        },
        {
          name: 'bart/Qwen-GGUF:Q4_K_M',
          path: join(folder, snapshot, 'Qwen-Q4_K_M.gguf'),
          projectorPath: join(folder, snapshot, 'mmproj-F16.gguf'),
        },
      ]);
    });

    it('names by file what its quantisation does not tell apart', async () => {
      await write(`${snapshot}/base-Q4_0.gguf`);
      await write(`${snapshot}/chat-Q4_0.gguf`);
      await write(`${snapshot}/plain.gguf`);

      const { models } = await readHuggingFaceCache(folder);

      expect(models.map(({ name }) => name)).to.deep.equal([
        'bart/Qwen-GGUF:base-Q4_0',
        'bart/Qwen-GGUF:chat-Q4_0',
        'bart/Qwen-GGUF:plain',
      ]);
    });

    it('gives what main points to before what other refs do, and snapshots without a ref not at all', async () => {
      await write(`${repo}/refs/pr/1`, OLDER);
      await write(`${snapshot}/m-Q4_0.gguf`);
      await write(`${repo}/snapshots/${OLDER}/m-Q4_0.gguf`);
      await write(`${repo}/snapshots/${OLDER}/m-Q8_0.gguf`);
      await write(`${repo}/snapshots/${'f'.repeat(40)}/m-Q2_K.gguf`);

      const { models } = await readHuggingFaceCache(folder);

      expect(models.map(({ path }) => path)).to.deep.equal([
        join(folder, snapshot, 'm-Q4_0.gguf'),
        join(folder, repo, 'snapshots', OLDER, 'm-Q8_0.gguf'),
      ]);
    });

    it('warns of a model whose blob or part is missing', async () => {
      await link(`${snapshot}/m-Q4_0.gguf`, `${repo}/blobs/gone`);
      await write(`${snapshot}/m-Q8_0-00001-of-00002.gguf`);

      const { models, warnings } = await readHuggingFaceCache(folder);

      expect(models).to.deep.equal([]);
      expect(warnings).to.have.length(2);
      expect(warnings[0]).to.match(/bart\/Qwen-GGUF:Q4_0 .* not all there/);
    });

    it('follows no ref out of the cache', async () => {
      await write(`${repo}/refs/main`, '../../elsewhere');
      await write('elsewhere/m.gguf');

      expect((await readHuggingFaceCache(folder)).models).to.deep.equal([]);
    });
  });

  describe("llama.cpp's", () => {
    const manifest = JSON.stringify({
      ggufFile: { rfilename: 'sub/gemma-Q4_K_M.gguf' },
      mmprojFile: { rfilename: 'mmproj.gguf' },
    });

    it('gives what a manifest names as -hf does, and other files by their own name', async () => {
      await write('manifest=ggml-org=gemma-GGUF=latest.json', manifest);
      await write('manifest=ggml-org=gemma-GGUF=Q4_K_M.json', manifest);
      await write('ggml-org_gemma-GGUF_sub_gemma-Q4_K_M.gguf');
      await write('ggml-org_gemma-GGUF_sub_gemma-Q4_K_M.gguf.json', '{"etag":"x"}');
      await write('ggml-org_gemma-GGUF_mmproj.gguf');
      await write('by-hand.gguf');

      const { models, warnings } = await readLlamaCppCache(folder);

      expect(warnings).to.deep.equal([]);
      expect(models.map(({ name, aliases, projectorPath }) => [name, aliases, projectorPath])).to.deep.equal([
        ['by-hand', [], null],
        [
          'ggml-org/gemma-GGUF:Q4_K_M',
          ['ggml-org/gemma-GGUF:latest'],
          join(folder, 'ggml-org_gemma-GGUF_mmproj.gguf'),
        ],
      ]);
    });

    it('is read in the layout of newer versions too', async () => {
      await write('models--a--b/refs/main', COMMIT);
      await write(`models--a--b/snapshots/${COMMIT}/m-Q4_0.gguf`);

      expect((await readLlamaCppCache(folder)).models.map(({ name }) => name)).to.deep.equal(['a/b:Q4_0']);
    });

    it('warns of a broken manifest, and gives its file nevertheless', async () => {
      await write('manifest=a=b=latest.json', '{}');
      await write('a_b_m.gguf');

      const { models, warnings } = await readLlamaCppCache(folder);

      expect(models.map(({ name }) => name)).to.deep.equal(['a_b_m']);
      expect(warnings).to.deep.equal([
        "manifest=a=b=latest.json in llama.cpp's cache is passed over: it names no GGUF file",
      ]);
    });
  });
});
