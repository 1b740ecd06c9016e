import { expect } from 'chai';
import { startOf } from '../../actors/process/start-of.ts';
import type { ModelSpec, Reservation } from '../../machines/vocabulary.ts';
import { parseConfig } from '../../src/config/load-config.ts';
import { resolveModels } from '../../src/config/resolve-models.ts';
import { GIB } from '../support/pool.ts';
import { writeModels, type TestModels } from '../support/models.ts';
import { problemsOf } from './support/problems-of.ts';

describe('a command in a configuration', () => {
  for (const { title, model, says } of [
    {
      title: 'that is a text, which no shell would read',
      model: 'command: vllm serve --port {port}\n    memory: 1GiB',
      says: [
        "corral.yaml:3:5: models.m.command: expected a list of a program and its arguments: [vllm, serve, '{model}', --port, '{port}']; no shell reads it, found \"vllm serve --port {port}\"",
      ],
    },
    {
      title: 'with something in braces that nothing is known of',
      model: "command: [vllm, '{modl}', '{port}']\n    memory: 1GiB",
      says: [
        'corral.yaml:3:21: models.m.command.1: expected one of {port}, {model}, {name}, {device}, {index}, {slots}, {context}, {key}. Did you mean \'model\'?, found "{modl}"',
      ],
    },
    {
      title: 'that is told no port',
      model: 'command: [vllm]\n    memory: 1GiB',
      says: [
        'corral.yaml:3:5: models.m.command: expected {port} among its arguments, or in env: Corral chooses it, found ["vllm"]',
      ],
    },
    {
      title: 'whose need nobody can know',
      model: "command: [vllm, '{port}']",
      says: [
        'corral.yaml:2:3: models.m.memory: expected what it needs, such as 6GiB or {CUDA0: 6GiB}: Corral can tell that of GGUF files only, found nothing',
      ],
    },
    {
      title: 'beside what is for llama-server',
      model: "command: [vllm, '{port}']\n    memory: 1GiB\n    args: [-ngl, '1']",
      says: [
        'corral.yaml:5:5: models.m.args: expected none of it: it is for llama-server, and the model has a command, found ["-ngl","1"]',
      ],
    },
  ])
    it(`is refused ${title}`, () => expect(problemsOf(`models:\n  m:\n    ${model}\n`)).to.deep.equal(says));

  it('is what a model has that has no path', () =>
    expect(problemsOf('models:\n  m:\n    ready: { path: /x }\n')).to.deep.equal([
      'corral.yaml:2:3: models.m.path: expected the GGUF file, or a command that serves the model, found nothing',
      'corral.yaml:3:5: models.m.ready: expected a command beside it: it says how that is run, found {"path":"/x"}',
    ]));

  it('may say no settings of Corral itself', () =>
    expect(problemsOf('models:\n  m: { path: x.gguf, env: { CORRAL_PORT: 1 } }\n').join()).to.include(
      'expected a variable of its environment, and none of CORRAL_*',
    ));
});

describe('what is made of a command', () => {
  let models: TestModels;
  before(async () => {
    models = await writeModels(['tiny']);
  });
  after(() => models.remove());

  const specOf = async (keys: string): Promise<ModelSpec> => {
    const { entries } = await resolveModels({
      config: parseConfig(`models: { m: { command: [serve, '{port}', '{index}'], ${keys} } }`),
      folder: models.folder,
      llamaServer: '/bin/llama-server',
      state: { of: () => undefined },
    });
    const [entry] = entries;
    if (!entry?.spec) throw new Error(entry?.problem?.message ?? 'no model');
    return entry.spec;
  };

  it('needs what is said, and where it is said', async () => {
    expect(await specOf('memory: 3GiB')).to.include({
      needBytes: 3 * GIB,
      needSource: 'configured',
      devices: null,
    });
    expect(await specOf('memory: { CPU: 2GiB }')).to.include({ needBytes: 2 * GIB, placement: 'cpu-only' });
    const split = await specOf('memory: { CUDA1: 6GiB, CUDA0: 2GiB, CPU: 1GiB }');
    expect(split).to.include({ needBytes: 8 * GIB, hostBytes: GIB, spread: true });
    expect(split.devices).to.deep.equal(['CUDA1', 'CUDA0']);
    expect(split.shares).to.deep.equal({ CUDA1: 6 * GIB, CUDA0: 2 * GIB });
  });

  it('needs of a GGUF file about what llama-server would', async () => {
    const { needBytes, needSource, launch } = await specOf(`path: ${models.path('tiny')}, context: 512`);

    expect(needSource).to.equal('predicted');
    expect(needBytes).to.be.above(0);
    expect(launch).to.include({ runtime: 'command', contextTokens: 512, modelPath: models.path('tiny') });
  });

  it('has a file where there is one, and a name where that can be none', async () => {
    expect((await specOf('memory: 1GiB, path: org/model')).launch.modelPath).to.equal('org/model');
    expect((await specOf('memory: 1GiB, path: tiny.gguf')).launch.modelPath).to.equal(models.path('tiny'));
    const missing = await specOf('memory: 1GiB, path: ./absent').catch((error: Error) => error.message);
    expect(missing).to.include('absent cannot be opened');
  });

  it('sees the devices that were reserved for it and no others, also where Corral sees only some', async () => {
    const { launch } = await specOf('memory: 1GiB');
    const start = (reservation: Reservation, env: NodeJS.ProcessEnv = {}) =>
      startOf(
        { runnerId: 'r', modelName: 'm', launch, reservation },
        { port: 4000, apiKey: 'k', env, embedded: { file: '', args: [] } },
      );

    expect(start({ CUDA1: 1, CUDA3: 1, CPU: 1 }).env).to.include({
      CUDA_VISIBLE_DEVICES: '1,3',
      HIP_VISIBLE_DEVICES: '',
    });
    expect(start({ CUDA1: 1 }, { CUDA_VISIBLE_DEVICES: '4, 6' }).env).to.include({
      CUDA_VISIBLE_DEVICES: '6',
    });
    expect(start({ ROCm0: 1 }).env).to.include({ HIP_VISIBLE_DEVICES: '0', CUDA_VISIBLE_DEVICES: '' });
    expect(start({ CUDA1: 1, CUDA3: 1 }).args).to.deep.equal(['4000', '1,3']);
  });
});
