import { sortGgufFiles, type GgufModel } from '../models/discover/gguf-names.ts';
import type { Reference } from './parse-reference.ts';

/** Without a wish: the first of these that a repository has. */
const USUAL = [
  'Q4_K_M',
  'UD-Q4_K_XL',
  'MXFP4',
  'Q4_K_S',
  'IQ4_NL',
  'IQ4_XS',
  'Q4_0',
  'Q5_K_M',
  'Q6_K',
  'Q8_0',
];

export interface Choice {
  readonly model: GgufModel;
  /** The projector that goes with it, if the repository has one. */
  readonly projector: string | null;
}

/**
 * The model of a repository that a reference means, all its parts together. Throws an Error that lists what there is when that
 * is unclear.
 */
export function chooseFiles(paths: readonly string[], { repo, wanted }: Reference): Choice {
  const { models, projectors } = sortGgufFiles(paths);
  const whole = models.filter(({ isWhole }) => isWhole);
  if (whole.length === 0) throw new Error(`${repo} has no GGUF model.`);
  const [model, another] = wanted === null ? usual(whole) : matching(whole, wanted);
  if (model && !another) return { model, projector: projectors[0] ?? null };
  const problem =
    model === undefined
      ? wanted === null
        ? `has several models, and none is the usual choice`
        : `has no ${wanted}`
      : `has several models of ${model.quant ?? 'one kind'}`;
  const tag = another ? ({ stem }: GgufModel) => stem : ({ quant, stem }: GgufModel) => quant ?? stem;
  const choices = [...new Set(whole.map(tag))].map((one) => `  hf:${repo}:${one}`);
  throw new Error(`${repo} ${problem}. There are:\n${choices.join('\n')}`);
}

function usual(models: readonly GgufModel[]): readonly GgufModel[] {
  if (models.length === 1) return models;
  for (const wanted of USUAL) {
    const found = models.filter(({ quant }) => quant === wanted);
    if (found.length > 0) return found;
  }
  return [];
}

/** By quantisation, then by quantisation without its maker's prefix, then by the file's name. */
function matching(models: readonly GgufModel[], wanted: string): readonly GgufModel[] {
  const same = wanted.toUpperCase();
  const tests: ((model: GgufModel) => boolean)[] = [
    ({ quant }) => quant === same,
    ({ quant }) => quant?.replace(/^UD-/, '') === same,
    ({ stem }) => stem.toUpperCase() === same,
  ];
  return tests.map((test) => models.filter(test)).find((found) => found.length > 0) ?? [];
}
