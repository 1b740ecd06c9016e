import { join } from 'node:path';
import { expect } from 'chai';
import type { ModelSpec } from '../../machines/vocabulary.ts';
import { parseConfig } from '../../src/config/load-config.ts';
import { architectures } from '../models/support/architectures.ts';
import { writeSparse } from '../models/support/sparse-models.ts';
import { writeModels, type TestModels } from '../support/models.ts';
import { commandOf, partOf, resolvedSpec } from './support/resolved-spec.ts';

describe('arguments that a user adds', () => {
  let models: TestModels;
  before(async () => {
    models = await writeModels(['tiny']);
  });
  after(() => models.remove());

  const specOf = (args: readonly string[], keys = '', path = models.path('tiny')): Promise<ModelSpec> =>
    resolvedSpec({ path, folder: models.folder, keys: `args: ${JSON.stringify(args)}, ${keys}` });
  const countOf = (args: readonly string[], ...names: string[]): number =>
    args.filter((one) => names.includes(one)).length;

  it('are the context and the slots that are planned, whatever the keys say, and passed once', async () => {
    const spec = await specOf(['-c', '8192', '--parallel=2'], 'context: 512, slots: 1');

    expect(spec.launch).to.include({ contextTokens: 4096, slots: 2 });
    expect(spec.needBytes).to.equal((await specOf([], 'context: 4096, slots: 2')).needBytes);
    const command = commandOf(spec);
    expect(command[command.indexOf('-c') + 1]).to.equal('8192');
    expect([countOf(command, '-c', '--ctx-size'), countOf(command, '-np', '--parallel')]).to.deep.equal([
      1, 1,
    ]);
  });

  it('put a model on the CPU, and book no GPU', async () => {
    for (const args of [
      ['-ngl', '0'],
      ['--device', 'none'],
    ]) {
      const spec = await specOf(args, 'placement: gpu-only');

      expect([spec.placement, spec.launch.extraArgs]).to.deep.equal(['cpu-only', []]);
    }
  });

  it('are the devices that it may use, all of them where there are several', async () => {
    const both = await specOf(['-dev', 'CUDA1,CUDA0'], 'devices: [CUDA2]');
    const one = await specOf(['-dev', 'CUDA1,CUDA0', '-sm', 'none', '-mg', '1']);

    expect([both.devices, both.spread, one.devices, one.spread]).to.deep.equal([
      ['CUDA1', 'CUDA0'],
      true,
      ['CUDA0'],
      false,
    ]);
    expect(countOf(commandOf(both, { CUDA1: 8, CUDA0: 8 }), '-dev', '--device')).to.equal(1);
    expect(commandOf(one)).to.not.include('-mg');
  });

  it('say what Corral then does not say beside them', async () => {
    const args = ['-ub', '256', '-b', '512', '-sm', 'row', '-ts', '3,1', '--mlock', '-mg', '1'];
    const { launch, ...spec } = await specOf(args);
    const command = commandOf({ ...spec, launch: { ...launch, readsFile: true } }, { CUDA0: 8, CUDA1: 8 });

    expect(command).to.not.include.members(['--ubatch-size']);
    for (const name of ['--batch-size', '--split-mode', '--tensor-split', '--no-mmap'])
      expect(command).to.not.include(name);
    expect(command.slice(-2)).to.deep.equal(['--main-gpu', '1']);
  });

  it('leave to a model the layers on GPUs that they ask for', async () => {
    expect((await specOf(['-ngl', '1'])).launch.gpuLayers).to.equal(1);
    expect((await specOf(['-ngl', '99'])).launch).to.not.have.property('gpuLayers');
    const command = commandOf(await specOf(['-ngl', '1']));
    expect([command[command.indexOf('-ngl') + 1], countOf(command, '-ngl')]).to.deep.equal(['1', 1]);
  });

  it('are its projector and its adapters', async () => {
    const spec = await specOf(['--mmproj', '/p.gguf', '--lora', '/b.gguf'], 'adapters: [a.gguf]');

    expect(spec.launch.projectorPath).to.equal('/p.gguf');
    expect(spec.launch.adapterPaths).to.deep.equal([join(models.folder, 'a.gguf'), '/b.gguf']);
    expect(countOf(commandOf(spec), '--mmproj', '--lora')).to.equal(3);
  });

  it('make it embed or rank', async () => {
    const command = commandOf(await specOf(['--reranking']));

    expect([countOf(command, '--reranking'), countOf(command, '--embedding')]).to.deep.equal([1, 0]);
    expect(commandOf(await specOf(['--embedding']))).to.include('--embedding');
  });

  describe('of a mixture of experts', () => {
    let path: string;
    before(async () => {
      path = join(models.folder, 'moe.gguf');
      await writeSparse(path, architectures['qwen3moe']!);
    });
    const mixture = (keys: string): Promise<ModelSpec> => specOf([], `${keys} promptCache: 0`, path);

    it('let Corral put them aside where nothing is said of them', async () => {
      const spec = await mixture('');
      const { expertsAside, needBytes } = spec;

      expect(partOf(spec, 'experts')).to.equal(0);
      expect(expertsAside?.needBytes).to.be.lessThan(needBytes);
      expect(expertsAside?.hostBytes).to.be.greaterThan(300 * 1024 ** 2);
      for (const keys of ['placement: gpu-only,', 'placement: cpu-only,', 'memory: 1GiB,'])
        expect(await mixture(keys)).to.not.have.property('expertsAside');
      expect(await specOf(['--cpu-moe'], '', path)).to.not.have.property('expertsAside');
      expect(await specOf([])).to.not.have.property('expertsAside');
    });

    it('are in main memory where its placement says so, and that is passed once', async () => {
      const spec = await mixture('placement: experts-on-cpu,');

      expect(spec.hostBytes).to.equal((await mixture('')).expertsAside?.hostBytes);
      expect(countOf(commandOf(spec), '--cpu-moe')).to.equal(1);
      const said = await specOf(['-ot', 'exps=CPU'], 'placement: experts-on-cpu', path);
      expect(countOf(commandOf(said), '--cpu-moe')).to.equal(0);
    });
  });

  const refused = '--port --api_key --models-dir --ssl-key-file=x -m -hf --path --no-slots --help';
  for (const args of refused.split(' '))
    it(`are refused where Corral could not look after what runs: ${args}`, () => {
      const text = `models:\n  m:\n    path: a.gguf\n    args: [-fa, on, ${args}]`;

      expect(() => parseConfig(text)).to.throw(
        /corral\.yaml:4:\d+: models\.m\.args\.2: expected no -[-a-z]+: /,
      );
    });

  it('are refused without telling the key that one of them holds', () => {
    for (const args of ['--api-key=SECRET', '"--api_key=SECRET"', '--api-key, SECRET', '--api-key, "SECRET"'])
      expect(() => parseConfig(`models: { m: { path: a, args: [${args}] } }`))
        .to.throw(/expected no --api-key: a runner is reached through Corral alone/)
        .with.property('message')
        .that.does.not.include('SECRET');
  });

  it('may turn the fitting off, and not on', () => {
    expect(() => parseConfig('models: { m: { path: a, args: [--fit, "off"] } }')).to.not.throw();
    expect(() => parseConfig('models: { m: { path: a, args: [--fit, "on"] } }')).to.throw(/has planned/);
  });
});
