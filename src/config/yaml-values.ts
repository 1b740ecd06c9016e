import { isMap, isScalar, isSeq, Scalar, type Node, type YAMLMap, type YAMLSeq } from 'yaml';
import type { Filled } from './yaml-env.ts';

/** With what is used several times counted each time. Thousands of models have a tenth of it. */
const MOST_VALUES = 200_000;

/** What each alias of a document stands for. */
export type Targets = ReadonlyMap<unknown, Node>;

/** Aliases of aliases grow by powers: a document that has more in it than any configuration. */
export class TooManyValues extends Error {
  /** The list or map that has too much in it. */
  readonly node: Node;

  constructor(node: Node) {
    super();
    this.node = node;
  }
}

/**
 * A YAML document as JavaScript has it. Aliases share what they stand for, and nothing is looked for twice: the library's own way looks
 * each alias up in the whole document, which takes minutes for some thousands of them. `filled` has values for texts of the environment. Throws
 * `TooManyValues`.
 */
export function valuesOf(contents: unknown, targets: Targets, filled: Filled = new Map()): unknown {
  const known = new Map<unknown, Counted>();
  const countedOf = (node: unknown): Counted => {
    const target = targets.get(node);
    if (target === undefined) return evaluated(node, countedOf, targets, filled);
    const counted = known.get(target) ?? countedOf(target);
    known.set(target, counted);
    return counted;
  };
  return countedOf(contents).value;
}

/** In quotes it is a key like any other. */
export const isMergeKey = (key: unknown): boolean =>
  isScalar(key) && key.source === '<<' && key.type === Scalar.PLAIN;

/** A key as JavaScript has it; null for what is no text or number. */
export function keyText(key: unknown, targets: Targets): string | null {
  if (isMergeKey(key)) return '<<';
  const node = targets.get(key) ?? key;
  if (node === null) return '';
  if (!isScalar(node)) return null;
  const { value } = node;
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : '';
}

/** A value, and how many are in it. */
interface Counted {
  readonly value: unknown;
  readonly count: number;
}

type Evaluate = (node: unknown) => Counted;

function evaluated(node: unknown, countedOf: Evaluate, targets: Targets, filled: Filled): Counted {
  if (isSeq(node)) return listOf(node, countedOf);
  if (isMap(node)) return mapOf(node, countedOf, targets);
  if (!isScalar(node)) return { value: null, count: 1 };
  return { value: filled.has(node) ? filled.get(node) : node.value, count: 1 };
}

function listOf(list: YAMLSeq, countedOf: Evaluate): Counted {
  let count = 1;
  const value = list.items.map((item) => {
    const one = countedOf(item);
    count = sum(count, one.count, list);
    return one.value;
  });
  return { value, count };
}

function mapOf(map: YAMLMap, countedOf: Evaluate, targets: Targets): Counted {
  let count = 1;
  const entries = new Map<string, unknown>();
  for (const { key, value: node } of map.items) {
    const one = countedOf(node);
    count = sum(count, one.count, map);
    if (!isMergeKey(key)) entries.set(keyText(key, targets) ?? '', one.value);
    else
      for (const source of Array.isArray(one.value) ? (one.value as unknown[]) : [one.value])
        for (const [name, merged] of Object.entries(source ?? {}))
          // What stands in the map itself wins, and of several that are merged the first.
          if (!entries.has(name)) entries.set(name, merged);
  }
  return { value: Object.fromEntries(entries), count };
}

function sum(count: number, more: number, node: Node): number {
  if (count + more > MOST_VALUES) throw new TooManyValues(node);
  return count + more;
}
