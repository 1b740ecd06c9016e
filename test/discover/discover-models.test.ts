import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { parseConfig } from '../../src/config/load-config.ts';
import { resolveModels, type Resolved } from '../../src/config/resolve-models.ts';
import { readLearned } from '../../src/config/state-file.ts';
import { storePlaces } from '../../src/models/discover/store-places.ts';
import { generateGguf } from '../../src/models/generate-gguf.ts';

const digest = 'a'.repeat(64);
const paramsDigest = 'b'.repeat(64);

describe('discovery', () => {
  let folder: string;
  const write = async (path: string, text: string): Promise<void> => {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  };
  const resolve = (yaml: string): Promise<Resolved> =>
    resolveModels({
      config: parseConfig(yaml),
      folder,
      llamaServer: '/somewhere/llama-server',
      state: readLearned(join(folder, 'learned.json')),
    });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'corral-discover-'));
    await mkdir(join(folder, 'ollama/blobs'), { recursive: true });
    await generateGguf(join(folder, 'ollama/blobs', `sha256-${digest}`));
    await write(`ollama/blobs/sha256-${paramsDigest}`, '{"temperature":0.1,"num_ctx":2048}');
    const layers = [
      { mediaType: 'application/vnd.ollama.image.model', digest: `sha256:${digest}` },
      { mediaType: 'application/vnd.ollama.image.params', digest: `sha256:${paramsDigest}` },
    ];
    for (const tag of ['8b', 'latest'])
      await write(`ollama/manifests/registry.ollama.ai/library/qwen3/${tag}`, JSON.stringify({ layers }));
    await mkdir(join(folder, 'llama'));
    await generateGguf(join(folder, 'llama/tiny.gguf'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('is off unless asked for', async () => {
    expect(await resolve('')).to.deep.equal({ entries: [], warnings: [] });
  });

  it('makes models of other programs fit to be served, with what their store says of them', async () => {
    const { entries, warnings } = await resolve(
      'discover: { ollama: ollama, llamaCpp: llama }\ndefaults: { args: [--mlock] }',
    );

    expect(warnings).to.deep.equal([]);
    expect(entries.map(({ name, aliases, problem }) => ({ name, aliases, problem }))).to.deep.equal([
      { name: 'tiny', aliases: [], problem: null },
      { name: 'qwen3:8b', aliases: ['qwen3:latest'], problem: null },
    ]);
    expect(entries[1]?.spec?.launch).to.include({ contextTokens: 2048 });
    expect(entries[1]?.spec?.launch.extraArgs).to.deep.equal(['--mlock', '--temp', '0.1']);
  });

  it('leaves names to the configuration', async () => {
    const { entries } = await resolve(
      'discover: { ollama: ollama }\nmodels: { Qwen3:8b: { path: llama/tiny.gguf, aliases: ["qwen3:latest"] } }',
    );

    expect(entries.map(({ name }) => name)).to.deep.equal(['Qwen3:8b']);
  });

  it('serves no file again that a folder has', async () => {
    const { entries } = await resolve('discover: { llamaCpp: llama }\nfolders: [llama]');

    expect(entries.map(({ name }) => name)).to.deep.equal(['tiny']);
  });

  it('warns when what was asked for is not there', async () => {
    const { warnings } = await resolve('discover: { huggingFace: nowhere }');

    expect(warnings).to.deep.equal([`the Hugging Face cache is not at ${join(folder, 'nowhere')}`]);
  });

  it('looks where the programs themselves do', () => {
    const home = '/home/me';
    const plain = storePlaces({ env: {}, home, platform: 'linux' });
    const mac = storePlaces({ env: {}, home, platform: 'darwin' });
    const told = storePlaces({
      env: { LLAMA_CACHE: '/l', OLLAMA_MODELS: '/o', HF_HOME: '/h' },
      home,
      platform: 'linux',
    });

    expect(plain).to.deep.equal({
      llamaCpp: ['/home/me/.cache/llama.cpp'],
      ollama: ['/home/me/.ollama/models', '/usr/share/ollama/.ollama/models'],
      huggingFace: ['/home/me/.cache/huggingface/hub'],
    });
    expect(mac.llamaCpp).to.deep.equal(['/home/me/Library/Caches/llama.cpp']);
    expect(told).to.deep.equal({ llamaCpp: ['/l'], ollama: ['/o'], huggingFace: ['/h/hub'] });
    expect(
      storePlaces({ env: { HF_HUB_CACHE: '/c', HF_HOME: '/h' }, home, platform: 'linux' }).huggingFace,
    ).to.deep.equal(['/c']);
  });
});
