import { expect } from 'chai';
import { serverArguments } from '../../actors/process/server-arguments.ts';
import type { ModelSpec } from '../../machines/vocabulary.ts';
import { parseConfig } from '../../src/config/load-config.ts';
import { usualPromptCache } from '../../src/config/prompt-cache.ts';
import { resolveModels } from '../../src/config/resolve-models.ts';
import { writeModels, type TestModels } from '../support/models.ts';

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

describe('the prompt cache of a model', () => {
  let models: TestModels;
  before(async () => {
    models = await writeModels(['tiny', 'embed']);
  });
  after(() => models.remove());

  /** In a Corral that may use 6 GiB of main memory. */
  async function specOf(keys: string, { file = 'tiny', rest = '' } = {}): Promise<ModelSpec> {
    const text = `{ models: { m: { path: ${models.path(file)}, ${keys} } }, devices: { CPU: { memory: 6GiB } }, ${rest} }`;
    const { entries } = await resolveModels({
      config: parseConfig(text),
      folder: models.folder,
      llamaServer: '/bin/llama-server',
      state: { of: () => undefined },
    });
    const spec = entries[0]?.spec;
    if (!spec) throw new Error('no model');
    return spec;
  }
  const passed = ({ name, launch }: ModelSpec): string | undefined => {
    const args = serverArguments({ runnerId: 'r', modelName: name, launch, reservation: { CUDA0: 8 } }, 4000);
    expect(args.filter((one) => one === '--cache-ram')).to.have.length(1);
    return args[args.indexOf('--cache-ram') + 1];
  };

  it('is passed on purpose, and in the books', async () => {
    const spec = await specOf('');

    expect(passed(spec)).to.equal('192');
    expect(spec.hostBytes).to.equal(192 * MIB);
    expect(spec.needParts?.find((part) => part.of === 'prompt cache')).to.deep.equal({
      of: 'prompt cache',
      bytes: 192 * MIB,
      inMainMemory: true,
    });
  });

  for (const [title, keys, rest, says, bytes] of [
    ['its key', 'promptCache: 1GiB', 'defaults: { promptCache: 2GiB }', '1024', GIB],
    ['that of all', '', 'defaults: { promptCache: 2GiB }', '2048', 2 * GIB],
    ['nothing', 'promptCache: 0', '', '0', 0],
    ['an argument', 'promptCache: 1GiB, args: [-cram, "64"]', '', '64', 64 * MIB],
    ['beside a configured need', 'memory: 1GiB, promptCache: 64MiB', '', '64', 64 * MIB],
  ] as const)
    it(`is what is configured: ${title}`, async () => {
      const spec = await specOf(keys, { rest });

      expect([passed(spec), spec.hostBytes ?? 0]).to.deep.equal([says, bytes]);
    });

  it('is nothing for one that only embeds', async () => {
    const spec = await specOf('', { file: 'embed' });

    expect([passed(spec), spec.hostBytes]).to.deep.equal(['0', undefined]);
  });

  it('is the embedded runner’s own business', async () => {
    const spec = await specOf('runtime: embedded');

    expect(spec.hostBytes).to.equal(undefined);
    expect(spec.launch).to.not.have.property('promptCacheMiB');
  });

  it('is no other model’s for being another, as long as nobody has asked for it', async () => {
    const [usual, same] = [await specOf(''), await specOf('', { rest: 'policy: { gamma: 1 }' })];

    expect(usual.classKey).to.equal(same.classKey);
    expect((await specOf('promptCache: 1GiB')).classKey).to.not.equal(usual.classKey);
  });

  it('has a limit', () => {
    expect([6 * GIB, 64 * GIB, 1_024 * GIB].map(usualPromptCache)).to.deep.equal([192, 2_048, 8_192]);
    expect(() => parseConfig('models: { m: { path: a, args: [--cache-ram, "-1"] } }')).to.throw(
      /expected no --cache-ram without a limit: .*promptCache/,
    );
  });
});
