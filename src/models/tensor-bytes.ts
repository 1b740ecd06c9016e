import { GGMLQuantizationType as Type } from '@huggingface/gguf';
import type { GgufTensor } from './parse-gguf-header.ts';

/** Elements in a block, and bytes of a block. */
type Block = readonly [elements: number, bytes: number];

/** ggml's block structures (ggml-common.h, llama.cpp v0.4). */
const BLOCKS: Readonly<Record<number, Block>> = {
  [Type.F32]: [1, 4],
  [Type.F16]: [1, 2],
  [Type.BF16]: [1, 2],
  [Type.F64]: [1, 8],
  [Type.I8]: [1, 1],
  [Type.I16]: [1, 2],
  [Type.I32]: [1, 4],
  [Type.I64]: [1, 8],
  [Type.Q4_0]: [32, 18],
  [Type.Q4_1]: [32, 20],
  [Type.Q5_0]: [32, 22],
  [Type.Q5_1]: [32, 24],
  [Type.Q8_0]: [32, 34],
  [Type.Q8_1]: [32, 36],
  [Type.Q2_K]: [256, 84],
  [Type.Q3_K]: [256, 110],
  [Type.Q4_K]: [256, 144],
  [Type.Q5_K]: [256, 176],
  [Type.Q6_K]: [256, 210],
  [Type.Q8_K]: [256, 292],
  [Type.IQ1_S]: [256, 50],
  [Type.IQ1_M]: [256, 56],
  [Type.IQ2_XXS]: [256, 66],
  [Type.IQ2_XS]: [256, 74],
  [Type.IQ2_S]: [256, 82],
  [Type.IQ3_XXS]: [256, 98],
  [Type.IQ3_S]: [256, 110],
  [Type.IQ4_NL]: [32, 18],
  [Type.IQ4_XS]: [256, 136],
  [Type.TQ1_0]: [256, 54],
  [Type.TQ2_0]: [256, 66],
  [Type.MXFP4]: [32, 17],
  [Type.NVFP4]: [64, 36],
  [Type.Q1_0]: [128, 18],
  [Type.Q2_0]: [64, 18],
};

/** Bytes of a tensor's data, or null when its type is not known here: newer llama.cpp releases add some. */
export function tensorBytes({ type, elements }: GgufTensor): number | null {
  const block = BLOCKS[type];
  return block === undefined ? null : (elements / block[0]) * block[1];
}
