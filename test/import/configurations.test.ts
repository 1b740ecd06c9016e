import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { parseConfig } from '../../src/config/load-config.ts';
import type { ModelInput } from '../../src/config/schema.ts';
import { importLlamaSwap, type Imported } from '../../src/import/import-llama-swap.ts';
import { writeImported } from '../../src/import/write-imported.ts';

const folder = new URL('configurations/', import.meta.url);
const files = readdirSync(folder);
const imported = (file: string): Imported =>
  importLlamaSwap(readFileSync(new URL(file, folder), 'utf8'), { MODELS: '/models' });
const modelsOf = (file: string): Readonly<Record<string, ModelInput>> => imported(file).config.models ?? {};

/** In the style of those that people publish; each of another kind. */
describe('configurations of llama-swap as people write them', () => {
  it('are ten', () => expect(files).to.have.length(10));

  for (const file of files)
    it(`${file} is carried over with every model, can be read by Corral, and has no secret in it`, () => {
      const { config, modelNotes } = imported(file);

      const left = [...modelNotes].filter(([id]) => !config.models?.[id]);
      expect(left).to.deep.equal([]);
      const text = writeImported(imported(file));
      expect(Object.keys(parseConfig(text).models)).to.have.length(modelNotes.size);
      expect(text).to.not.match(/hunter2/);
    });

  it('keep llama-servers as models of files', () => {
    for (const file of ['one-machine.yaml', 'macros.yaml', 'forks.yaml', 'groups.yaml', 'names.yaml'])
      for (const [id, model] of Object.entries(modelsOf(file)))
        expect([model.path, model.command], `${file}: ${id}`).to.deep.equal([
          model.path ?? 'none',
          undefined,
        ]);
  });

  it('keep containers, with what stops them, and reach them at this machine only', () => {
    const { 'qwen3-awq': qwen, parakeet } = modelsOf('containers.yaml');

    expect(qwen).to.deep.include({
      stop: ['docker', 'stop', 'qwen3-awq'],
      listener: 'any',
      memory: '8GiB',
      calledAs: 'qwen3',
      slots: 64,
      devices: ['CUDA0', 'CUDA1'],
      spread: true,
    });
    expect(qwen?.command)
      .to.include.members(['docker', 'run', '127.0.0.1:{port}:8000', '"device=0,1"', 'HF_TOKEN'])
      .and.to.not.include('0.0.0.0');
    expect(parakeet).to.deep.include({
      command: [
        'podman',
        'run',
        '--rm',
        '--name',
        'parakeet',
        '-p',
        '127.0.0.1:{port}:5000',
        'local/parakeet-server',
      ],
      ready: { path: '/healthz' },
      keepAlive: '120s',
    });
    expect(imported('containers.yaml').config.limits).to.deep.equal({ load: '600s', terminate: '20s' });
  });

  it('keep shells as they are, and what they need of the environment but for secrets', () => {
    const { phi, reranker } = modelsOf('vllm-bare.yaml');

    expect(phi?.command?.slice(0, 2)).to.deep.equal(['bash', '-c']);
    expect(phi?.command?.[2]).to.include('--port {port}');
    expect(phi).to.deep.include({ devices: ['CUDA1'], env: { VLLM_USE_V1: '1' }, keepAlive: 'forever' });
    const last = ['--host', '127.0.0.1', '--port', '{port}', '--api-key', '{key}'];
    expect(reranker?.command?.slice(-6)).to.deep.equal(last);
    expect(imported('vllm-bare.yaml').modelNotes.get('phi')?.join()).to.include('env HF_TOKEN is left out');
  });

  it('let Corral choose ports that were fixed', () => {
    const { speech, coder } = modelsOf('fixed-ports.yaml');

    expect(speech?.command).to.include('{port}').and.to.not.include('9102');
    expect(speech?.ready).to.deep.equal({ path: '/v1/audio/transcriptions/' });
    expect(coder?.args ?? []).to.not.include('9101');
  });

  it('keep builds and wrappers of their own', () => {
    const { config } = imported('forks.yaml');

    expect(config.llamaServer).to.equal('/opt/llama.cpp/llama-server');
    expect(config.models?.['rocm']?.llamaServer).to.equal('/opt/llama.cpp-rocm/llama-server');
    expect(config.models?.['bound']).to.deep.include({
      path: '/m/d.gguf',
      wrapper: ['numactl', '--cpunodebind=1', '--membind=1'],
    });
    expect(config.models?.['preloaded']?.wrapper).to.deep.equal([
      'env',
      'LD_PRELOAD=/usr/lib/libjemalloc.so',
    ]);
  });

  it('have groups and matrices told as superfluous, and what was loaded at start loaded then', () => {
    const { config, notes } = imported('groups.yaml');

    expect(notes.join('\n'))
      .to.include('group always (all of its models together) is left out')
      .and.to.include('group big (one of its models at a time, and no others) is left out')
      .and.to.include('matrix is left out: what runs at the same time follows from memory');
    expect(config.models?.['embed']?.pin).to.equal(true);
    expect(config.models?.['small']?.preload).to.equal(true);
  });

  it('have names that stand for others', () => {
    const { config, notes } = imported('names.yaml');

    expect(config.anyOf).to.deep.equal({ whatever: ['oss', 'tiny'], assistant: ['oss'] });
    expect(Object.keys(config.models?.['oss']?.variants ?? {})).to.include('oss:low');
    expect(notes.join('\n'))
      .to.include('profile work: drawing is left out')
      .and.to.include('profile play is left out');
  });

  it('have pictures and speech served where their programs do', () => {
    const { flux, kokoro, comfyui_auto: comfy } = modelsOf('pictures.yaml');

    expect(flux?.paths).to.deep.equal(['/v1/*', '/sdapi/*']);
    expect(kokoro?.ready).to.deep.equal({ path: '/' });
    expect(comfy?.command).to.deep.equal(['python3', '/opt/ComfyUI/main.py', '--port', '{port}']);
  });

  it('have a word for each key without a counterpart', () => {
    const { notes, modelNotes, config } = imported('downloads.yaml');

    for (const key of ['captureBuffer', 'metricsMaxInMemory', 'performance', 'peers', 'apiKeys'])
      expect(notes.join('\n')).to.include(`${key} is left out`);
    expect(modelNotes.get('smol')?.[0]).to.include('corral pull hf:ggml-org/SmolVLM-500M-Instruct-GGUF');
    expect(config.models?.['tabby']?.limits).to.deep.equal({ terminate: '15s' });
  });
});
