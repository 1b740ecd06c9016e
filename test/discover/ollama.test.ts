import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { ollamaName, parseOllamaManifest } from '../../src/models/discover/ollama-manifest.ts';
import { parseOllamaParams } from '../../src/models/discover/ollama-params.ts';
import { readOllamaStore } from '../../src/models/discover/ollama-store.ts';

/** 64 hexadecimal digits that end in a number. */
const hex = (number: number): string => number.toString(16).padStart(64, '0');
const layer = (kind: string, number: number): object => ({
  mediaType: `application/vnd.ollama.image.${kind}`,
  digest: `sha256:${hex(number)}`,
  size: 1,
});
const manifestOf = (...layers: readonly object[]): string =>
  JSON.stringify({ schemaVersion: 2, config: layer('config', 99), layers });

describe("an Ollama model's name", () => {
  for (const [place, name] of [
    ['registry.ollama.ai/library/qwen3/8b', 'qwen3:8b'],
    ['registry.ollama.ai/library/qwen3/latest', 'qwen3:latest'],
    ['registry.ollama.ai/someone/model/q4', 'someone/model:q4'],
    ['hf.co/user/repo-GGUF/Q4_K_M', 'hf.co/user/repo-GGUF:Q4_K_M'],
    ['registry.ollama.ai/library/qwen3', null],
    ['registry.ollama.ai/library/qwen3/.DS_Store', null],
  ] as const)
    it(`of ${place} is ${name ?? 'none'}`, () => expect(ollamaName(place)).to.equal(name));
});

describe('an Ollama manifest', () => {
  it('names the blobs of each kind', () => {
    const layers = parseOllamaManifest(
      manifestOf(
        layer('model', 1),
        layer('projector', 2),
        layer('adapter', 3),
        layer('adapter', 4),
        layer('params', 5),
      ),
    );

    expect(layers).to.deep.equal({
      model: `sha256-${hex(1)}`,
      projector: `sha256-${hex(2)}`,
      adapters: [`sha256-${hex(3)}`, `sha256-${hex(4)}`],
      params: `sha256-${hex(5)}`,
      leftOut: [],
    });
  });

  it('says what llama-server has no use for', () => {
    const { leftOut } = parseOllamaManifest(
      manifestOf(
        layer('model', 1),
        layer('template', 2),
        layer('system', 3),
        layer('license', 4),
        layer('license', 5),
      ),
    );

    expect(leftOut).to.deep.equal(['template', 'system']);
  });

  for (const { title, text, says } of [
    { title: 'that is no JSON', text: '{"layers":', says: /JSON/ },
    { title: 'without layers', text: '{}', says: /not a manifest/ },
    {
      title: 'whose digest would lead elsewhere',
      text: JSON.stringify({ layers: [{ mediaType: 'x', digest: 'sha256:../../etc/passwd' }] }),
      says: /not a manifest/,
    },
    { title: 'without a GGUF file', text: manifestOf(layer('tensor', 1)), says: /no model layer/ },
    { title: 'with several', text: manifestOf(layer('model', 1), layer('model', 2)), says: /several/ },
  ])
    it(`${title} is refused`, () => expect(() => parseOllamaManifest(text)).to.throw(says));
});

describe("an Ollama model's parameters", () => {
  it('become llama-server arguments; what does not is named', () => {
    const text = JSON.stringify({
      temperature: 0.6,
      top_k: 20,
      num_ctx: 8192,
      num_gpu: 1,
      stop: ['<|im_end|>'],
    });

    expect(parseOllamaParams(text)).to.deep.equal({
      contextTokens: 8192,
      args: ['--temp', '0.6', '--top-k', '20'],
      leftOut: ['stop'],
    });
  });

  it('of a wrong type are left out', () => {
    expect(parseOllamaParams('{"temperature":"hot","num_ctx":-1}')).to.deep.equal({
      contextTokens: null,
      args: [],
      leftOut: ['temperature', 'num_ctx'],
    });
  });

  it('that are no object are refused', () =>
    expect(() => parseOllamaParams('[]')).to.throw(/not a JSON object/));
});

describe("Ollama's store", () => {
  let folder: string;
  const library = 'manifests/registry.ollama.ai/library';
  const write = async (path: string, text = ''): Promise<void> => {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  };
  const blob = (number: number): string => join(folder, 'blobs', `sha256-${hex(number)}`);
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'corral-ollama-'));
    for (const number of [1, 2, 3]) await write(`blobs/sha256-${hex(number)}`);
    await write(`blobs/sha256-${hex(4)}`, '{"temperature":1}');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('gives a model with all that belongs to it', async () => {
    await write(
      `${library}/llava/7b`,
      manifestOf(
        layer('model', 1),
        layer('projector', 2),
        layer('adapter', 3),
        layer('params', 4),
        layer('template', 5),
      ),
    );

    expect(await readOllamaStore(folder)).to.deep.equal({
      models: [
        {
          name: 'llava:7b',
          aliases: [],
          path: blob(1),
          projectorPath: blob(2),
          adapterPaths: [blob(3)],
          contextTokens: null,
          args: ['--temp', '1'],
          leftOut: ['template'],
        },
      ],
      warnings: [],
    });
  });

  it('gives tags of the same content as one model', async () => {
    await write(`${library}/qwen3/latest`, manifestOf(layer('model', 1)));
    await write(`${library}/qwen3/8b`, manifestOf(layer('model', 1)));
    await write(`${library}/qwen3/hot`, manifestOf(layer('model', 1), layer('params', 4)));

    const { models } = await readOllamaStore(folder);

    expect(models.map(({ name, aliases }) => [name, aliases])).to.deep.equal([
      ['qwen3:8b', ['qwen3:latest']],
      ['qwen3:hot', []],
    ]);
  });

  it('warns of what is broken, and gives the rest', async () => {
    await write(`${library}/cut/off`, '{"layers":[');
    await write(`${library}/gone/blob`, manifestOf(layer('model', 7)));
    await write(`${library}/bad/params`, manifestOf(layer('model', 1), layer('params', 2)));
    await write(`${library}/huge/manifest`, ' '.repeat(2 ** 20 + 1));
    await write(`${library}/good/one`, manifestOf(layer('model', 1)));

    const { models, warnings } = await readOllamaStore(folder);

    expect(models.map(({ name }) => name)).to.deep.equal(['good:one']);
    expect(warnings).to.have.length(4);
    expect(warnings[0]).to.match(/bad:params is left out: .*JSON/);
    expect(warnings[1]).to.match(/cut:off is left out: .*JSON/);
    expect(warnings[2]).to.match(/gone:blob is left out: its blob sha256-0+… is missing/);
    expect(warnings[3]).to.match(/huge:manifest is left out: it has \d+ bytes/);
  });
});
