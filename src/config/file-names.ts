import { dirname, basename } from 'node:path';
import { splitName } from '../models/split-name.ts';
import type { FreeNames } from './free-names.ts';

/** A model's file, and what it is called by itself. */
export interface NamedFile {
  readonly name: string;
  readonly path: string;
}

export interface GivenName extends NamedFile {
  readonly aliases: readonly string[];
}

export interface GivenNames {
  /** In the order of the files. */
  readonly models: readonly GivenName[];
  /** Files that are called as another one is, and what they are asked for by. */
  readonly warnings: readonly string[];
}

/**
 * Names for files of which several may be called alike. The first has the name; each has one with as many folders before it as tell them
 * apart (`unsloth/Qwen3-8B-Q4_K_M`). A file that is known by one of its names keeps that: another one that comes or goes changes
 * nothing for it.
 */
export function giveNames(
  files: readonly NamedFile[],
  names: FreeNames,
  known: ReadonlyMap<string, string> = new Map(),
): GivenNames {
  const given = new Map<string, GivenName>();
  const warnings: string[] = [];
  const groups = groupBy(files, ({ name }) => name.toLowerCase());
  const keepers = files.filter(({ path, name }) => isNameOf(known.get(path), { path, name }));
  for (const { path, name } of keepers) {
    const kept = known.get(path) ?? name;
    if (names.take(kept, path)) given.set(path, { name: kept, path, aliases: [] });
  }
  for (const group of groups.values())
    for (const one of nameGroup(group, given, names, warnings)) given.set(one.path, one);
  return { models: files.flatMap(({ path }) => given.get(path) ?? []), warnings };
}

function nameGroup(
  group: readonly NamedFile[],
  given: ReadonlyMap<string, GivenName>,
  names: FreeNames,
  warnings: string[],
): GivenName[] {
  const longer = longerNames(group);
  const result: GivenName[] = [];
  for (const file of group) {
    const { name, path } = file;
    const long = longer.get(path) ?? name;
    const kept = given.get(path)?.name;
    const has = kept ?? [name, long].find((one) => names.isFree(one));
    // One that cannot be a name is told of by whoever gives names away.
    if (has === undefined || (kept === undefined && !names.take(has, path))) {
      if (has === undefined)
        warnings.push(`${path} is left out: ${name} and ${long} are names of other models`);
      continue;
    }
    const aliases = [name, long].filter(
      (one) =>
        (group.length > 1 || one === name) && one !== has && names.isFree(one) && names.take(one, path),
    );
    if (![has, ...aliases].includes(name))
      warnings.push(`${path} is asked for as ${has}: ${name} is another model's name`);
    result.push({ name: has, path, aliases });
  }
  return result;
}

/** By path: the shortest end of each path that no other one has, without extension and part. */
function longerNames(group: readonly NamedFile[]): ReadonlyMap<string, string> {
  const ways = group.map(({ path, name }) => ({ path, steps: [...foldersOf(path), name] }));
  return new Map(
    ways.map(({ path, steps }) => {
      for (let count = 2; count <= steps.length; count += 1) {
        const end = endOf(steps, count);
        const isOwn = ways.every(
          (other) => other.path === path || endOf(other.steps, count).toLowerCase() !== end.toLowerCase(),
        );
        if (isOwn) return [path, end];
      }
      // In one folder: the part of a model that was split in two ways tells them apart.
      return [path, basename(path, splitName(path)?.extension)];
    }),
  );
}

const endOf = (steps: readonly string[], count: number): string => steps.slice(-count).join('/');

const foldersOf = (path: string): readonly string[] => dirname(path).split(/[\\/]/).filter(Boolean);

/** Whether a file may be called so: by its name, by the end of its path, or as the part that it is. */
function isNameOf(known: string | undefined, { path, name }: NamedFile): known is string {
  if (known === undefined) return false;
  const whole = [...foldersOf(path), name].join('/');
  return (
    known === name || whole.endsWith(`/${known}`) || known === basename(path, splitName(path)?.extension)
  );
}

function groupBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}
