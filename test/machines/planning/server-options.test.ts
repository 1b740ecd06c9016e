import { expect } from 'chai';
import { readArguments, type ServerOptions } from '../../../machines/planning/server-options.ts';

const lists = { tensorPlaces: [], adapterPaths: [], scaledAdapterPaths: [] };

describe('what arguments of a llama-server say', () => {
  for (const [args, says, rest = args] of [
    [['-c', '262144'], { totalContextTokens: 262_144 }, []],
    [['--ctx-size=8192', '--parallel', '2'], { totalContextTokens: 8_192, slots: 2 }, []],
    [['--ctx_size', '8192'], { totalContextTokens: 8_192 }, []],
    [['-c', '1', '-c', '2'], { totalContextTokens: 2 }, []],
    [['-np', '-1'], { slots: -1 }, []],
    [['-ngl', '0'], { gpuLayers: 0 }, []],
    [['--n-gpu-layers', 'all'], { gpuLayers: 'all' }, []],
    [['--gpu-layers', '-1'], { gpuLayers: 'all' }, []],
    [['-dev', 'none'], { devices: [] }, []],
    [['--device', 'CUDA1,CUDA0'], { devices: ['CUDA1', 'CUDA0'] }, []],
    [['-sm', 'row', '-mg', '1'], { splitMode: 'row', mainGpu: 1 }, ['-sm', 'row']],
    [['-ts', '3,1'], { tensorSplit: [3, 1] }],
    [['--cpu-moe'], { cpuExpertLayers: 'all' }],
    [['-ncmoe', '12'], { cpuExpertLayers: 12 }],
    [
      ['-ot', 'exps=CPU,blk\\.0\\.=CUDA1'],
      {
        tensorPlaces: [
          { pattern: 'exps', buffer: 'CPU' },
          { pattern: 'blk\\.0\\.', buffer: 'CUDA1' },
        ],
      },
    ],
    [
      ['-ctk', 'q8_0', '--cache-type-v=q4_0'],
      { cacheTypeK: 'q8_0', cacheTypeV: 'q4_0' },
      ['-ctk', 'q8_0', '--cache-type-v', 'q4_0'],
    ],
    [['-b', '4096', '-ub', '1024'], { batchTokens: 4_096, microBatchTokens: 1_024 }],
    [['-fa', 'off'], { flashAttention: false }],
    [['--flash-attn', 'auto'], { flashAttention: true }],
    [['--swa-full', '-nkvo'], { fullWindows: true, kvOffload: false }],
    [
      ['--mmproj', '/p.gguf', '--no-mmproj-offload'],
      { projectorPath: '/p.gguf', projectorOffload: false },
      ['--no-mmproj-offload'],
    ],
    [['--lora', '/a,/b', '--lora', '/c'], { adapterPaths: ['/a', '/b', '/c'] }, []],
    [['--lora-scaled', '/a:0.5,/b:2'], { scaledAdapterPaths: ['/a', '/b'] }],
    [
      ['-md', '/d.gguf', '-ngld', '0', '-ctkd', 'q8_0'],
      { draftPath: '/d.gguf', draftGpuLayers: 0, draftCacheTypeK: 'q8_0' },
    ],
    [['--cache-ram', '0'], { promptCacheMiB: 0 }, []],
    [['--mlock'], { saysLoadMode: true }],
    [['--reranking'], { reranking: true }, []],
    [['--temp', '0.6', '--jinja'], {}],
  ] as readonly (readonly [string[], Partial<ServerOptions>, string[]?])[])
    it(`are read from ${args.join(' ')}`, () =>
      expect(readArguments(args)).to.deep.equal({ options: { ...lists, ...says }, rest }));

  it('are left to llama-server where they make no sense, or their value is missing', () => {
    for (const args of [['-c', 'much'], ['-ngl', 'many'], ['-ts', 'x'], ['-np', '0'], ['-c']])
      expect(readArguments(args)).to.deep.equal({ options: lists, rest: args });
  });
});
