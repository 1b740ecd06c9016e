import { expect } from 'chai';
import { pairProjectors } from '../../src/models/projector-beside.ts';

describe('a projector', () => {
  for (const { title, models, projectors, pairs, told = [] } of [
    {
      title: 'without a name is that of the only model beside it, in all its quantisations',
      models: ['/m/Gemma-Q4_K_M.gguf', '/m/Gemma-Q8_0.gguf', '/other/Llama.gguf'],
      projectors: ['/m/mmproj-F16.gguf'],
      pairs: { '/m/Gemma-Q4_K_M.gguf': '/m/mmproj-F16.gguf', '/m/Gemma-Q8_0.gguf': '/m/mmproj-F16.gguf' },
    },
    {
      title: 'is preferred as F16',
      models: ['/m/Gemma-Q4_K_M.gguf'],
      projectors: ['/m/mmproj-BF16.gguf', '/m/mmproj-F16.gguf', '/m/mmproj-Q8_0.gguf'],
      pairs: { '/m/Gemma-Q4_K_M.gguf': '/m/mmproj-F16.gguf' },
    },
    {
      title: 'goes by its name where there are several models',
      models: ['/m/gemma-3-4b-it-Q4_K_M.gguf', '/m/Qwen3-8B-Q4_K_M.gguf'],
      projectors: ['/m/mmproj-gemma-3-4b-it-f16.gguf', '/m/Qwen3-8B-vision.gguf'],
      pairs: {
        '/m/gemma-3-4b-it-Q4_K_M.gguf': '/m/mmproj-gemma-3-4b-it-f16.gguf',
        '/m/Qwen3-8B-Q4_K_M.gguf': '/m/Qwen3-8B-vision.gguf',
      },
    },
    {
      title: 'of another name is not given to a model',
      models: ['/m/Llama-3-8B-Q4_K_M.gguf'],
      projectors: ['/m/mmproj-gemma-3-4b-it-f16.gguf'],
      pairs: {},
    },
    {
      title: 'without a name beside several models is told of',
      models: ['/m/gemma.gguf', '/m/qwen.gguf'],
      projectors: ['/m/mmproj-model-f16.gguf'],
      pairs: {},
      told: ['/m/mmproj-model-f16.gguf lies beside 2 models'],
    },
  ])
    it(title, () => {
      const paired = pairProjectors(models, projectors);

      expect(Object.fromEntries(paired.projectors)).to.deep.equal(pairs);
      expect(paired.warnings).to.have.length(told.length);
      told.forEach((text, index) => expect(paired.warnings[index]).to.contain(text));
    });
});
