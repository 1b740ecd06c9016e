import { basename, dirname } from 'node:path';
import { projectorRank, withoutQuant } from './discover/gguf-names.ts';

/** What projectors are called beside the name of their model. */
const OF_PROJECTORS = /mmproj|projector|vision|model/gi;

export interface Paired {
  /** By the path of a model: its projector. */
  readonly projectors: ReadonlyMap<string, string>;
  /** Projectors that could be of several models. */
  readonly warnings: readonly string[];
}

/**
 * Which projector lies beside which model, in the same folder. It is the model's where their names agree, or where it has no name of
 * its own and the folder has one model only, in whatever quantisations: a projector of another model would keep it from loading.
 */
export function pairProjectors(models: readonly string[], projectors: readonly string[]): Paired {
  const paired = new Map<string, string>();
  const warnings: string[] = [];
  for (const [folder, mine] of byFolder(projectors)) {
    const beside = models.filter((path) => dirname(path) === folder);
    const families = new Set(beside.map(familyOf));
    const best = mine.toSorted((a, b) => projectorRank(a) - projectorRank(b));
    for (const model of beside) {
      const projector = best.find((one) => belongs(nameOf(one), familyOf(model), families.size === 1));
      if (projector !== undefined) paired.set(model, projector);
    }
    const used = new Set(paired.values());
    const isNameless = (path: string): boolean => nameOf(path) === '' && !used.has(path);
    if (families.size > 1)
      for (const path of best.filter(isNameless))
        warnings.push(
          `${path} lies beside ${families.size} models, and its name tells none of them: \`projector:\` of one in \`models:\` takes it`,
        );
  }
  return { projectors: paired, warnings };
}

const belongs = (name: string, family: string, isAlone: boolean): boolean => {
  if (name === family) return true;
  return isAlone && (family.startsWith(name) || name.startsWith(family));
};

function byFolder(paths: readonly string[]): Map<string, string[]> {
  const folders = new Map<string, string[]>();
  for (const path of paths) folders.set(dirname(path), [...(folders.get(dirname(path)) ?? []), path]);
  return folders;
}

/** A model's name without its quantisation, part and punctuation. */
const familyOf = (path: string): string => lettersOf(withoutQuant(basename(path)));

/** The same of the model that a projector is named after; '' where it is named after none. */
const nameOf = (path: string): string =>
  lettersOf(withoutQuant(basename(path)).replaceAll(OF_PROJECTORS, ' '));

const lettersOf = (text: string): string => text.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '');
