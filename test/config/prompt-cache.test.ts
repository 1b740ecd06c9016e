import { expect } from 'chai';
import type { ModelSpec } from '../../machines/vocabulary.ts';
import { parseConfig } from '../../src/config/load-config.ts';
import { usualPromptCache } from '../../src/config/prompt-cache.ts';
import { writeModels, type TestModels } from '../support/models.ts';
import { commandOf, partOf, resolvedSpec } from './support/resolved-spec.ts';

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

describe('the prompt cache of a model', () => {
  let models: TestModels;
  before(async () => {
    models = await writeModels(['tiny', 'embed']);
  });
  after(() => models.remove());

  /** In a Corral that may use 6 GiB of main memory. */
  const specOf = (keys: string, { file = 'tiny', rest = '' } = {}): Promise<ModelSpec> =>
    resolvedSpec({
      path: models.path(file),
      folder: models.folder,
      keys,
      rest: `devices: { CPU: { memory: 6GiB } }, ${rest}`,
    });
  const passed = (spec: ModelSpec): string | undefined => {
    const args = commandOf(spec);
    expect(args.filter((one) => one === '--cache-ram')).to.have.length(1);
    return args[args.indexOf('--cache-ram') + 1];
  };

  it('is passed on purpose, and in the books', async () => {
    const spec = await specOf('');

    expect(passed(spec)).to.equal('192');
    expect(spec.hostBytes).to.be.greaterThan(192 * MIB);
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
  ] as const)
    it(`is what is configured: ${title}`, async () => {
      const spec = await specOf(keys, { rest });

      expect([passed(spec), partOf(spec, 'prompt cache')]).to.deep.equal([says, bytes]);
    });

  it('is all that is booked of main memory beside a configured need', async () => {
    const spec = await specOf('memory: 1GiB, promptCache: 64MiB');

    expect([passed(spec), spec.hostBytes]).to.deep.equal(['64', 64 * MIB]);
  });

  it('is nothing for one that only embeds', async () => {
    const spec = await specOf('', { file: 'embed' });

    expect([passed(spec), partOf(spec, 'prompt cache')]).to.deep.equal(['0', 0]);
  });

  it('is the embedded runner’s own business', async () => {
    const spec = await specOf('runtime: embedded');

    expect(partOf(spec, 'prompt cache')).to.equal(0);
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
