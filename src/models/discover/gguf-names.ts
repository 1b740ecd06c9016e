import { posix } from 'node:path';

const EXTENSION = '.gguf';
const PART = /-(\d{5})-of-(\d{5})$/;
/** Quantisations as files are named after them: Q4_K_M, UD-Q4_K_XL, IQ3_XXS, BF16, mxfp4. */
const QUANT =
  /(?<![a-z0-9])(?:UD-)?(?:I?Q\d(?:_[A-Z0-9]+)*|TQ\d_\d|BF16|FP?16|FP?32|MXFP4(?:_MOE)?|NVFP4)(?=$|[-._])/gi;

/** A model as a list of files shows it. Paths are as they were given. */
export interface GgufModel {
  /** The file's name without folder, part and extension. */
  readonly stem: string;
  /** `Q4_K_M`, in capitals; null when the name tells none. */
  readonly quant: string | null;
  /** The files in order of their parts; the first one is loaded. */
  readonly paths: readonly [string, ...string[]];
  /** Whether all parts are among the files. */
  readonly isWhole: boolean;
}

export interface GgufFiles {
  /** In the order of their first files. */
  readonly models: readonly GgufModel[];
  /** Projectors of models that see, the most exact that is usual (F16) first. */
  readonly projectors: readonly string[];
}

/** Sorts the GGUF files of a list into models and projectors. Other files and importance matrices are passed over. */
export function sortGgufFiles(paths: readonly string[]): GgufFiles {
  const projectors: string[] = [];
  const groups = new Map<string, [string, ...string[]]>();
  for (const path of paths.toSorted(byText)) {
    const name = posix.basename(path);
    if (!name.toLowerCase().endsWith(EXTENSION) || /imatrix/i.test(name)) continue;
    if (/mmproj/i.test(name)) {
      projectors.push(path);
      continue;
    }
    const key = withoutExtension(path).replace(PART, '');
    const group = groups.get(key);
    if (group) group.push(path);
    else groups.set(key, [path]);
  }
  return {
    models: [...groups].map(([key, files]) => modelOf(key, files)),
    projectors: projectors.toSorted((a, b) => projectorRank(a) - projectorRank(b)),
  };
}

/** The quantisation that a path tells: in the file's name, else in its folder's. */
export function quantOf(path: string): string | null {
  const stem = posix.basename(withoutExtension(path)).replace(PART, '');
  const found = stem.match(QUANT)?.at(-1) ?? posix.basename(posix.dirname(path)).match(QUANT)?.at(-1);
  return found?.toUpperCase().replace(/^FP/, 'F') ?? null;
}

/** A file's name without quantisation, part and extension. */
export const withoutQuant = (name: string): string =>
  withoutExtension(name).replace(PART, '').replaceAll(QUANT, '');

function modelOf(key: string, paths: readonly [string, ...string[]]): GgufModel {
  const [, first = '1', count = '1'] = PART.exec(withoutExtension(paths[0])) ?? [];
  return {
    stem: posix.basename(key),
    quant: quantOf(paths[0]),
    paths,
    isWhole: Number(first) === 1 && paths.length === Number(count),
  };
}

const withoutExtension = (path: string): string =>
  path.toLowerCase().endsWith(EXTENSION) ? path.slice(0, -EXTENSION.length) : path;

/** Of projectors: the most exact that is usual (F16) comes first. */
export const projectorRank = (path: string): number => {
  const rank = ['F16', 'BF16', 'F32'].indexOf(quantOf(path) ?? '');
  return rank < 0 ? 3 : rank;
};

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
