import { expect } from 'chai';
import { quantOf, sortGgufFiles } from '../../src/models/discover/gguf-names.ts';

describe('names of GGUF files', () => {
  for (const [path, quant] of [
    ['Qwen3-8B-Q4_K_M.gguf', 'Q4_K_M'],
    ['qwen2.5-32b-instruct-q4_k_m.gguf', 'Q4_K_M'],
    ['qwen2.5-32b-instruct-q4_k_m-00001-of-00003.gguf', 'Q4_K_M'],
    ['gemma-3-27b-it-UD-Q4_K_XL.gguf', 'UD-Q4_K_XL'],
    ['nomic-embed-text-v1.5.f16.gguf', 'F16'],
    ['tiny-fp16.gguf', 'F16'],
    ['gpt-oss-20b-mxfp4.gguf', 'MXFP4'],
    ['x.IQ3_XXS.gguf', 'IQ3_XXS'],
    ['model-Q8_0-v2.gguf', 'Q8_0'],
    ['BF16/big-00001-of-00002.gguf', 'BF16'],
    ['Q4_K_M.gguf', 'Q4_K_M'],
    ['tiny-chat.gguf', null],
    ['v16-f1664.gguf', null],
  ] as const)
    it(`tell ${quant ?? 'no quantisation'} in ${path}`, () => expect(quantOf(path)).to.equal(quant));

  it('put the parts of a model together, in order, and say when one is missing', () => {
    const { models } = sortGgufFiles([
      'b-00002-of-00002.gguf',
      'b-00001-of-00002.gguf',
      'a.gguf',
      'c-00001-of-00003.gguf',
      'c-00003-of-00003.gguf',
      'd-00002-of-00002.gguf',
    ]);

    expect(models.map(({ stem, isWhole }) => [stem, isWhole])).to.deep.equal([
      ['a', true],
      ['b', true],
      ['c', false],
      ['d', false],
    ]);
    expect(models[1]?.paths).to.deep.equal(['b-00001-of-00002.gguf', 'b-00002-of-00002.gguf']);
  });

  it('keep models of the same name in different folders apart', () => {
    const { models } = sortGgufFiles(['Q4_0/m.gguf', 'Q8_0/m.gguf']);

    expect(models.map(({ quant }) => quant)).to.deep.equal(['Q4_0', 'Q8_0']);
  });

  it('tell projectors, the F16 one first, and pass over what is no model', () => {
    const { models, projectors } = sortGgufFiles([
      'mmproj-BF16.gguf',
      'mmproj-F16.gguf',
      'mmproj-F32.gguf',
      'imatrix.gguf',
      'm.imatrix.gguf',
      'README.md',
      'config.json',
    ]);

    expect(models).to.deep.equal([]);
    expect(projectors).to.deep.equal(['mmproj-F16.gguf', 'mmproj-BF16.gguf', 'mmproj-F32.gguf']);
  });
});
