import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { parseConfig } from '../../src/config/load-config.ts';
import { resolveModels, type Resolved } from '../../src/config/resolve-models.ts';
import { generateGguf } from '../../src/models/generate-gguf.ts';
import { rawGguf, rawList, rawTensor, rawText, TYPE, type RawPair } from '../support/raw-gguf.ts';
import { stringify } from 'yaml';

const text = (key: string, value: string): RawPair => [key, TYPE.text, value];
const tokens: RawPair = ['tokenizer.ggml.tokens', TYPE.list, rawList(TYPE.text, 1n, rawText('a'))];
const tensor = (name: string): Buffer => rawTensor(name, [4n]);

describe('the folders of a configuration', () => {
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'corral-folders-'))));
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const at = (name: string): string => join(folder, 'store', name);
  const model = async (name: string): Promise<void> => {
    await mkdir(dirname(at(name)), { recursive: true });
    await generateGguf(at(name));
  };
  const other = async (name: string, pairs: readonly RawPair[], tensors: string[]): Promise<void> => {
    await mkdir(dirname(at(name)), { recursive: true });
    await writeFile(at(name), rawGguf({ pairs, tensors: tensors.map(tensor) }));
  };
  const resolve = (config: object = {}, known?: ReadonlyMap<string, string>): Promise<Resolved> =>
    resolveModels({
      config: parseConfig(stringify({ folders: ['store'], ...config })),
      folder,
      llamaServer: '/bin/llama-server',
      state: { of: () => undefined },
      ...(known && { known }),
    });
  const pathsOf = ({ entries }: Resolved): Record<string, string | undefined> =>
    Object.fromEntries(entries.map(({ name, spec }) => [name, spec?.launch.modelPath]));

  it('offer models only: what else is kept as GGUF is told by its header', async () => {
    await model('chat.gguf');
    await other('seer.gguf', [text('general.architecture', 'clip')], ['v.patch_embd.weight']);
    await other('also-sees.gguf', [text('general.type', 'mmproj')], ['v.x']);
    await other('style.gguf', [text('general.type', 'adapter')], ['blk.0.attn_q.weight.lora_a']);
    await other('old-style.gguf', [text('general.architecture', 'llama')], ['blk.0.attn_q.weight.lora_a']);
    await other('weights.gguf', [text('general.type', 'imatrix')], ['blk.0.attn_q.weight.in_sum2']);
    await other('direction.gguf', [text('general.architecture', 'controlvector')], ['direction.1']);
    await other('words.gguf', [text('general.architecture', 'llama'), tokens], []);
    await other(
      'mtp-head.gguf',
      [text('general.architecture', 'qwen3')],
      ['token_embd.weight', 'blk.36.attn_q.weight', 'blk.36.nextn.eh_proj.weight'],
    );
    await other('eagle.gguf', [text('general.architecture', 'eagle3')], ['fc.weight']);

    expect(Object.keys(pathsOf(await resolve()))).to.deep.equal(['chat']);
  });

  it('offer a model that brings a head of its own, and one whose first part has no tensors', async () => {
    await other(
      'whole.gguf',
      [text('general.architecture', 'qwen3')],
      ['blk.0.attn_q.weight', 'blk.1.nextn.eh_proj.weight'],
    );
    await other(
      'split-00001-of-00002.gguf',
      [text('general.architecture', 'qwen3'), tokens, ['split.count', TYPE.u32, 2]],
      [],
    );
    await other('split-00002-of-00002.gguf', [], ['blk.0.attn_q.weight']);

    expect(Object.keys(pathsOf(await resolve()))).to.deep.equal(['split', 'whole']);
  });

  it('say of an entry that names another kind of file what it is, and where that belongs', async () => {
    await other('style.gguf', [text('general.type', 'adapter')], ['blk.0.attn_q.weight.lora_a']);

    const { entries } = await resolve({ folders: [], models: { style: { path: 'store/style.gguf' } } });

    expect(entries[0]?.problem?.message).to.equal(
      `${at('style.gguf')} is no model, but a LoRA adapter: name it in \`adapters:\` of the model that it was made for.`,
    );
  });

  it('give each of two files of one name a name that has as many folders as tell them apart', async () => {
    await model('bartowski/Qwen-GGUF/Qwen-Q4_K_M.gguf');
    await model('unsloth/Qwen-GGUF/Qwen-Q4_K_M.gguf');

    const resolved = await resolve();

    expect(pathsOf(resolved)).to.deep.equal({
      'Qwen-Q4_K_M': at('bartowski/Qwen-GGUF/Qwen-Q4_K_M.gguf'),
      'unsloth/Qwen-GGUF/Qwen-Q4_K_M': at('unsloth/Qwen-GGUF/Qwen-Q4_K_M.gguf'),
    });
    expect(resolved.entries[0]?.aliases).to.deep.equal(['bartowski/Qwen-GGUF/Qwen-Q4_K_M']);
    expect(resolved.warnings).to.deep.equal([
      `${at('unsloth/Qwen-GGUF/Qwen-Q4_K_M.gguf')} is asked for as unsloth/Qwen-GGUF/Qwen-Q4_K_M: ` +
        "Qwen-Q4_K_M is another model's name",
    ]);
  });

  it('leave a name to whom it has been given, when a file of the same name comes or goes', async () => {
    await model('b/same.gguf');
    const known = new Map([[at('b/same.gguf'), 'same']]);
    await model('a/same.gguf');

    const two = await resolve({}, known);
    await rm(at('b'), { recursive: true });
    const one = await resolve({}, new Map([[at('a/same.gguf'), 'a/same']]));

    expect(pathsOf(two)).to.deep.equal({ same: at('b/same.gguf'), 'a/same': at('a/same.gguf') });
    expect(pathsOf(one)).to.deep.equal({ 'a/same': at('a/same.gguf') });
    expect(one.entries[0]?.aliases).to.deep.equal(['same']);
  });

  it('have a longer name for a file that is called as an entry is', async () => {
    await model('same.gguf');
    await model('../elsewhere/other.gguf');

    const resolved = await resolve({ models: { same: { path: 'elsewhere/other.gguf' } } });

    expect(Object.keys(pathsOf(resolved))).to.deep.equal(['same', 'store/same']);
    expect(resolved.warnings).to.have.length(1);
  });

  it('do not offer a file again that an entry names by a link', async () => {
    await model('real.gguf');
    await symlink(at('real.gguf'), join(folder, 'link.gguf'));

    const resolved = await resolve({ models: { mine: { path: 'link.gguf' } } });

    expect(Object.keys(pathsOf(resolved))).to.deep.equal(['mine']);
  });

  it('keep apart what was split in two ways, and name the part that is missing', async () => {
    await model('big-00001-of-00002.gguf');
    await model('big-00002-of-00002.gguf');
    await model('big-00001-of-00003.gguf');

    const { entries } = await resolve();

    expect(entries.map(({ name }) => name)).to.deep.equal(['big', 'big-00001-of-00003']);
    expect(entries[0]?.problem).to.equal(null);
    expect(entries[1]?.problem?.message).to.contain(
      'has 1 of its 3 parts. There is no big-00002-of-00003.gguf, big-00003-of-00003.gguf.',
    );
  });

  it('have a model see with the projector that lies beside it', async () => {
    await model('gemma/gemma-Q4_K_M.gguf');
    await other('gemma/mmproj-F16.gguf', [text('general.architecture', 'clip')], ['v.x']);
    await model('plain/plain.gguf');

    const { entries } = await resolve();

    expect(entries.map(({ spec }) => spec?.launch.projectorPath)).to.deep.equal([
      at('gemma/mmproj-F16.gguf'),
      undefined,
    ]);
  });
});
