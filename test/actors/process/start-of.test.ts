import { expect } from 'chai';
import { startOf } from '../../../actors/process/start-of.ts';
import type { LlamaLaunch } from '../../../machines/vocabulary.ts';
import { parseConfig } from '../../../src/config/load-config.ts';

const launch: LlamaLaunch = {
  runtime: 'llama-server',
  binary: '/bin/llama-server',
  modelPath: '/m.gguf',
  adapterPaths: [],
  contextTokens: 512,
  slots: 1,
  embedding: false,
  extraArgs: [],
  env: { GGML_CUDA_FORCE_MMQ: '1' },
};
const inherited = {
  PATH: '/bin',
  CUDA_VISIBLE_DEVICES: '1',
  CORRAL_PORT: '1',
  LLAMA_ARG_CTX_SIZE: '131072',
  LLAMA_ARG_NO_MMAP: '1',
  LLAMA_ARG_MMPROJ: '/p.gguf',
};

describe('the environment of a llama-server', () => {
  it('says nothing of what Corral has planned, whatever its own says', () => {
    const { env } = startOf(
      { runnerId: 'r', modelName: 'm', launch, reservation: { CPU: 1 } },
      { port: 4000, apiKey: 'k', env: inherited, embedded: { file: '', args: [] } },
    );

    expect(env).to.deep.equal({
      PATH: '/bin',
      CUDA_VISIBLE_DEVICES: '1',
      GGML_CUDA_FORCE_MMQ: '1',
      LLAMA_API_KEY: 'k',
      NO_COLOR: '1',
    });
  });

  it('cannot be made to by a model either: its arguments say it', () => {
    const text = 'models: { m: { path: a.gguf, env: { LLAMA_ARG_N_PARALLEL: "8" } } }';

    expect(() => parseConfig(text)).to.throw(/models\.m\.env: expected no LLAMA_ARG_N_PARALLEL: args says/);
  });

  it('is the own business of a command', () => {
    const program = 'command: [my-server, --port, "{port}"], memory: 1GiB';

    parseConfig(`models: { m: { ${program}, env: { LLAMA_ARG_N_PARALLEL: "8" } } }`);
  });
});
