import { isAlias, isCollection, isMap, isNode, isPair, isSeq, LineCounter, parseDocument, visit } from 'yaml';
import type { Alias, Document, Node, Pair, YAMLMap, YAMLParseError } from 'yaml';
import { MOST_PROBLEMS, type ConfigProblem } from './config-error.ts';
import { guess } from './guess.ts';
import { shortly } from './shown.ts';
import { valueAt } from './value-at.ts';
import { fillEnvironment } from './yaml-env.ts';
import { DEEPEST, excessOf, TOO_DEEP } from './yaml-bounds.ts';
import { isMergeKey, keyText, TooManyValues, valuesOf } from './yaml-values.ts';

export type Place = Pick<ConfigProblem, 'line' | 'column' | 'key'>;

const MOST_ALIASES = 2_000;

/** The text of a YAML file, with anchors, aliases and merge keys (`<<`), and where in it everything is. */
export class YamlSource {
  /** What is wrong with the text itself; while there is anything, it has no value. */
  readonly problems: readonly ConfigProblem[];
  readonly #lines = new LineCounter();
  readonly #document: Document.Parsed | null = null;
  readonly #targets = new Map<unknown, Node>();
  readonly #value: unknown = null;
  /** The same without what is from the environment: that is nobody else's to read. */
  readonly #written: unknown = null;

  /** Without `env` nothing is filled in from it. */
  constructor(text: string, env: NodeJS.ProcessEnv | null = null) {
    const excess = excessOf(text);
    if (excess !== null) {
      this.problems = [{ ...excess, column: 1, key: '' }];
      return;
    }
    // The library compares each key with each other one; here that is done with less.
    const options = { lineCounter: this.#lines, merge: true, uniqueKeys: false, prettyErrors: false };
    this.#document = parseDocument(text, options);
    const { errors } = this.#document;
    this.problems =
      errors.length > 0
        ? errors.slice(0, MOST_PROBLEMS + 1).map((error) => this.#problem(error.pos[0], textOf(error)))
        : this.#ownProblems(this.#document);
    if (this.problems.length > 0) return;
    const environment = fillEnvironment(this.#document, env ?? {});
    if (env !== null && environment.problems.length > 0) {
      this.problems = environment.problems
        .slice(0, MOST_PROBLEMS + 1)
        .map(({ offset, message }) => ({ ...this.#problem(offset, message), key: this.#keyAt(offset) }));
      return;
    }
    try {
      this.#written = valuesOf(this.#document.contents, this.#targets);
      this.#value =
        env === null || environment.filled.size === 0
          ? this.#written
          : valuesOf(this.#document.contents, this.#targets, environment.filled);
    } catch (error) {
      if (!(error instanceof TooManyValues)) throw error;
      const offset = error.node.range?.[0] ?? 0;
      this.problems = [{ ...this.#problem(offset, TOO_MANY), key: this.#keyAt(offset) }];
    }
  }

  /** Whether nothing is written but comments. */
  get isEmpty(): boolean {
    return this.#value === null;
  }

  /** As JavaScript has it; an empty file, and one that has problems, is an empty object. */
  value(): unknown {
    return this.#value ?? {};
  }

  /** What is written at a path; undefined where nothing is. */
  at(path: readonly PropertyKey[]): unknown {
    return valueAt(this.#written ?? {}, path);
  }

  /** Where a path is written: its key, if need be where it is merged from; else the nearest thing around it. */
  placeOf(path: readonly PropertyKey[]): Place {
    const key = path.map(String).join('.');
    let node: unknown = this.#document?.contents;
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
    const target = this.#targets.get(node) ?? node;
    if (isSeq(target)) {
      const item = target.items[Number(key)];
      return item === undefined ? undefined : { start: isNode(item) ? item : undefined, node: item };
    }
    if (!isMap(target)) return undefined;
    const pair = target.items.find(
      (item) => !isMergeKey(item.key) && keyText(item.key, this.#targets) === key,
    );
    if (pair) return { start: isNode(pair.key) ? pair.key : undefined, node: pair.value };
    for (const source of mergedInto(target)) {
      const found = this.#step(source, key);
      if (found) return found;
    }
    return undefined;
  }

  /**
   * What the library tells of without a place, or too late: nesting without end, keys that cannot be, aliases without an anchor or within
   * their own, merges of what is no map.
   */
  #ownProblems(document: Document.Parsed): ConfigProblem[] {
    const problems: ConfigProblem[] = [];
    const anchors = new Map<string, Node>();
    const add: Add = (node, message, key = '') => {
      problems.push({ ...this.#problem((isNode(node) && node.range?.[0]) || 0, message), key });
    };
    const next = (): symbol | undefined => (problems.length <= MOST_PROBLEMS ? undefined : visit.BREAK);
    visit(document, {
      Value: (_, node, path) => {
        if (node.anchor !== undefined) anchors.set(node.anchor, node);
        if (!isCollection(node) || path.filter(isCollection).length < DEEPEST) return undefined;
        add(node, TOO_DEEP);
        return visit.BREAK;
      },
      Alias: (_, alias, path) => {
        const target = anchors.get(alias.source);
        if (target === undefined) add(alias, unknownAnchor(alias, [...anchors.keys()]));
        else if (path.some((above) => above === target))
          add(alias, `*${alias.source} stands within &${alias.source} itself`);
        else this.#targets.set(alias, target);
        if (this.#targets.size <= MOST_ALIASES) return next();
        add(alias, `it has more than ${MOST_ALIASES} aliases`, this.#keyAt(alias.range?.[0] ?? 0));
        return visit.BREAK;
      },
      Pair: (_, pair) => {
        for (const source of isMergeKey(pair.key) ? sourcesOf(pair) : []) {
          const target = isAlias(source) ? anchors.get(source.source) : source;
          // An alias to nothing is a problem of its own.
          if (target !== undefined && !isMap(target))
            add(pair.key, '<< takes a map, an alias of one, or a list of those');
        }
        return next();
      },
    });
    if (problems.length > 0) return problems;
    visit(document, {
      Map: (_, map, path) => {
        this.#checkKeys(map, path.filter(isPair), add);
        return next();
      },
    });
    return problems;
  }

  #checkKeys(map: YAMLMap, above: readonly Pair[], add: Add): void {
    const seen = new Set<string>();
    const path = above.map(({ key }) => keyText(key, this.#targets) ?? '');
    for (const { key } of map.items) {
      if (isMergeKey(key)) continue;
      const text = keyText(key, this.#targets);
      const problem = keyProblem(text, seen);
      if (problem !== null) add(key, problem, [...path, text ?? ''].join('.'));
      if (text !== null) seen.add(text);
    }
  }

  /** The key of the value that is written there. */
  #keyAt(offset: number): string {
    const keys: string[] = [];
    const holds = ({ value }: Pair): boolean =>
      isNode(value) && !!value.range && value.range[0] <= offset && offset <= value.range[1];
    for (let node: unknown = this.#document?.contents; isMap(node);) {
      const pair: Pair | undefined = node.items.find(holds);
      if (pair) keys.push(keyText(pair.key, this.#targets) ?? '');
      node = pair?.value;
    }
    return keys.join('.');
  }

  #problem(offset: number, message: string): ConfigProblem {
    return { ...this.#position(offset), key: '', message };
  }

  #position(offset: number): { line: number; column: number } {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  }
}

/** The library's own text, where it is of use to who writes the file. */
function textOf({ code, message }: YAMLParseError): string {
  if (message.startsWith('Maximum call stack')) return TOO_DEEP;
  return code === 'MULTIPLE_DOCS' ? 'a second document (---) begins here' : shortly(message);
}

function keyProblem(text: string | null, seen: ReadonlySet<string>): string | null {
  if (text === null) return 'a key has to be text, not a list or a map';
  if (text === '__proto__') return "'__proto__' cannot be a name: JavaScript has it for itself";
  return seen.has(text) ? `'${shortly(text)}' stands here twice` : null;
}

type Add = (node: unknown, message: string, key?: string) => void;

const TOO_MANY = 'its aliases multiply to more than a configuration can hold';

const sourcesOf = ({ value }: Pair): readonly unknown[] => (isSeq(value) ? value.items : [value]);

const mergedInto = (map: YAMLMap): readonly unknown[] =>
  map.items.filter(({ key }) => isMergeKey(key)).flatMap(sourcesOf);

const unknownAnchor = ({ source }: Alias, anchors: readonly string[]): string =>
  `no anchor &${source} comes before this alias.${guess(source, anchors)}`;
