import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml';
import type { Alias, Document, Node, Pair, YAMLMap } from 'yaml';
import type { ConfigProblem } from './config-error.ts';
import { guess } from './guess.ts';
import { valueAt } from './value-at.ts';

export type Place = Pick<ConfigProblem, 'line' | 'column' | 'key'>;

const MERGE_KEY = '<<';

/** The text of a YAML file, with anchors, aliases and merge keys (`<<`), and where in it everything is. */
export class YamlSource {
  readonly text: string;
  /** What is wrong with the text itself; while there is anything, it has no value. */
  readonly problems: readonly ConfigProblem[];
  readonly #lines = new LineCounter();
  readonly #document: Document.Parsed;

  constructor(text: string) {
    this.text = text;
    this.#document = parseDocument(text, { lineCounter: this.#lines, merge: true });
    const { errors } = this.#document;
    this.problems =
      errors.length > 0
        ? errors.map(({ message, pos }) => this.#problem(pos[0], message.split(/ at line |\n/)[0] ?? message))
        : this.#referenceProblems();
  }

  /** As JavaScript has it; an empty file is an empty object. Throws for text that has problems. */
  value(): unknown {
    return this.#document.toJS({ maxAliasCount: -1 }) ?? {};
  }

  /** What is written at a path; undefined where nothing is. */
  at(path: readonly PropertyKey[]): unknown {
    return valueAt(this.value(), path);
  }

  /** Where a path is written: its key, if need be where it is merged from; else the nearest thing around it. */
  placeOf(path: readonly PropertyKey[]): Place {
    const key = path.map(String).join('.');
    let node: unknown = this.#document.contents;
    let place = { line: 1, column: 1, key };
    for (const part of path) {
      const found = this.#step(node, String(part));
      if (found === undefined) break;
      const start = found.start?.range?.[0];
      if (start !== undefined) place = { ...this.#position(start), key };
      node = found.node;
    }
    return place;
  }

  #step(
    node: unknown,
    key: string,
  ): { readonly start: Node | undefined; readonly node: unknown } | undefined {
    const target = isAlias(node) ? node.resolve(this.#document) : node;
    if (isSeq(target)) {
      const item = target.items[Number(key)];
      return item === undefined ? undefined : { start: isNode(item) ? item : undefined, node: item };
    }
    if (!isMap(target)) return undefined;
    const pair = target.items.find((item) => String(item.key) === key);
    if (pair) return { start: isNode(pair.key) ? pair.key : undefined, node: pair.value };
    for (const source of this.#mergedInto(target)) {
      const found = this.#step(source, key);
      if (found) return found;
    }
    return undefined;
  }

  #mergedInto(map: YAMLMap): readonly unknown[] {
    return map.items.filter(isMerge).flatMap(({ value }) => (isSeq(value) ? value.items : [value]));
  }

  /** Aliases without an anchor, or within their own, and merges of what is no map: the library tells of them without a place. */
  #referenceProblems(): ConfigProblem[] {
    const problems: ConfigProblem[] = [];
    // Looking each alias up in the document would take time with the square of its size.
    const anchors = new Map<string, Node>();
    const add = (node: unknown, message: string): void => {
      problems.push(this.#problem((isNode(node) && node.range?.[0]) || 0, message));
    };
    visit(this.#document, {
      Value: (_, node) => void (node.anchor !== undefined && anchors.set(node.anchor, node)),
      Alias: (_, alias, path) => {
        const target = anchors.get(alias.source);
        if (target === undefined) add(alias, unknownAnchor(alias, [...anchors.keys()]));
        else if (path.some((above) => above === target))
          add(alias, `*${alias.source} stands within &${alias.source} itself`);
      },
      Pair: (_, pair) => {
        if (!isMerge(pair)) return;
        for (const source of isSeq(pair.value) ? pair.value.items : [pair.value]) {
          const target = isAlias(source) ? anchors.get(source.source) : source;
          // An alias to nothing is a problem of its own.
          if (target !== undefined && !isMap(target))
            add(pair.key, '<< takes a map, an alias of one, or a list of those');
        }
      },
    });
    if (problems.length === 0 && this.#isBomb())
      add(null, 'its aliases multiply to more than a configuration can hold');
    return problems;
  }

  /** Aliases of aliases of lists grow by powers: what would not fit into memory is not tried. */
  #isBomb(): boolean {
    try {
      this.#document.toJS({ maxAliasCount: MOST_ALIASED });
      return false;
    } catch {
      return true;
    }
  }

  #problem(offset: number, message: string): ConfigProblem {
    return { ...this.#position(offset), key: '', message };
  }

  #position(offset: number): { line: number; column: number } {
    const { line, col } = this.#lines.linePos(offset);
    return { line, column: col };
  }
}

/** As often one anchored node, with all in it, may be used. A hundred models with the same options are not many. */
const MOST_ALIASED = 10_000;

const isMerge = ({ key }: Pair): boolean =>
  isScalar(key) && (key.value === MERGE_KEY || key.source === MERGE_KEY);

const unknownAnchor = ({ source }: Alias, anchors: readonly string[]): string =>
  `no anchor &${source} comes before this alias.${guess(source, anchors)}`;
