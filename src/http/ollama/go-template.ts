import { badRequest, RequestError } from '../openai-errors.ts';

/** What a template may write: texts by name, and what was said. */
export interface TemplateValues {
  readonly System: string;
  readonly Prompt: string;
  /** Null where it is to be generated: nothing is written from there on. */
  readonly Response: string | null;
  readonly Messages: readonly { readonly Role: string; readonly Content: string }[];
}

/** The part of Go's templates that prompts are written in: texts, `if`, `else`, `end`, and `range .Messages`. */
type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'value'; readonly name: string }
  | { readonly kind: 'if'; readonly condition: string; readonly holding: Node[]; readonly otherwise: Node[] }
  | { readonly kind: 'range'; readonly body: Node[] };

type Scope = Readonly<Record<string, unknown>>;

const VALUE = /^\$?\.(System|Prompt|Response|Role|Content)$/;
/** Far above any template; each `if` within another is a call. */
const MOST_DEPTH = 32;

/** Whether it writes messages one by one, and not a single prompt. */
export const writesMessages = (template: string): boolean => template.includes('.Messages');

/** A template, ready to be used. Throws a `RequestError` (400) for what is not understood. */
export function parseTemplate(template: string): (values: TemplateValues) => string {
  const tokens = tokensOf(template);
  let at = 0;
  const parse = (depth: number): Node[] => {
    if (depth > MOST_DEPTH) throw notUnderstood('so many conditions within each other');
    const nodes: Node[] = [];
    for (; at < tokens.length; at++) {
      const token = tokens[at];
      if (token === undefined || token.action === 'end' || /^else\b/.test(token.action ?? '')) break;
      nodes.push(...nodeOf(token, depth));
    }
    return nodes;
  };
  const nodeOf = ({ text, action }: Token, depth: number): Node[] => {
    if (action === null) return text === '' ? [] : [{ kind: 'text', text }];
    if (action.startsWith('/*')) return [];
    const value = VALUE.exec(action)?.[1];
    if (value !== undefined) return [{ kind: 'value', name: value }];
    const condition = /^if\s+(.+)$/s.exec(action)?.[1];
    if (condition !== undefined) return [branch(condition, depth)];
    if (/^range\s+\$?\.Messages$/.test(action)) {
      at++;
      const body = parse(depth + 1);
      expectEnd();
      return [{ kind: 'range', body }];
    }
    throw notUnderstood(`{{ ${action} }}`);
  };
  const branch = (condition: string, depth: number): Node => {
    at++;
    const holding = parse(depth + 1);
    const action = tokens[at]?.action ?? '';
    const next = /^else\s+if\s+(.+)$/s.exec(action)?.[1];
    if (next !== undefined) return { kind: 'if', condition, holding, otherwise: [branch(next, depth + 1)] };
    let otherwise: Node[] = [];
    if (action === 'else') {
      at++;
      otherwise = parse(depth + 1);
    }
    expectEnd();
    return { kind: 'if', condition, holding, otherwise };
  };
  const expectEnd = (): void => {
    if (tokens[at]?.action !== 'end') throw notUnderstood('an {{ if }} or {{ range }} without its {{ end }}');
  };
  const nodes = parse(0);
  if (at < tokens.length) throw notUnderstood(`{{ ${tokens[at]?.action} }} without an {{ if }}`);
  return (values) => new Writing({ ...values }).write(nodes);
}

interface Token {
  readonly text: string;
  readonly action: string | null;
}

/** Dashes take away the white space beside an action. */
function tokensOf(template: string): readonly Token[] {
  const tokens: Token[] = [];
  let trims = false;
  const addText = (text: string, trimsEnd: boolean): void => {
    const begun = trims ? text.trimStart() : text;
    tokens.push({ text: trimsEnd ? begun.trimEnd() : begun, action: null });
  };
  for (let from = 0; ;) {
    const start = template.indexOf('{{', from);
    if (start === -1) {
      addText(template.slice(from), false);
      return tokens;
    }
    const end = template.indexOf('}}', start + 2);
    if (end === -1) throw notUnderstood('an action that does not end');
    const inside = template.slice(start + 2, end);
    const [trimsBefore, trimsAfter] = [inside.startsWith('-'), inside.length > 1 && inside.endsWith('-')];
    addText(template.slice(from, start), trimsBefore);
    tokens.push({ text: '', action: inside.slice(trimsBefore ? 1 : 0, trimsAfter ? -1 : undefined).trim() });
    trims = trimsAfter;
    from = end + 2;
  }
}

/** Writes one text; over as soon as what is to be generated comes. */
class Writing {
  readonly #values: Scope;
  #text = '';
  #isOver = false;

  constructor(values: Scope) {
    this.#values = values;
  }

  write(nodes: readonly Node[]): string {
    this.#all(nodes, this.#values);
    return this.#text;
  }

  #all(nodes: readonly Node[], scope: Scope): void {
    for (const node of nodes) if (!this.#isOver) this.#one(node, scope);
  }

  #one(node: Node, scope: Scope): void {
    switch (node.kind) {
      case 'text':
        this.#text += node.text;
        break;
      case 'value': {
        const value = scope[node.name] ?? this.#values[node.name];
        if (value === null && node.name === 'Response') this.#isOver = true;
        else if (typeof value === 'string') this.#text += value;
        break;
      }
      case 'if':
        this.#all(
          holds(node.condition, { ...this.#values, ...scope }) ? node.holding : node.otherwise,
          scope,
        );
        break;
      case 'range':
        for (const message of this.#values['Messages'] as readonly Scope[]) this.#all(node.body, message);
        break;
    }
  }
}

/** `.X`, `not …`, `and … …`, `or … …`, `eq … …`, with texts in quotes; brackets group. */
function holds(condition: string, scope: Scope): boolean {
  const words = condition.match(/"(?:[^"\\]|\\.)*"|`[^`]*`|[()]|[^\s()]+/g) ?? [];
  let at = 0;
  const operand = (): unknown => {
    const word = words[at++] ?? '';
    if (word === '(') {
      const value = call();
      if (words[at++] !== ')') throw notUnderstood(`{{ if ${condition} }}`);
      return value;
    }
    if (/^["`]/.test(word)) return word.slice(1, -1);
    const name = /^\$?\.(\w+)$/.exec(word)?.[1];
    if (name === undefined) throw notUnderstood(`{{ if ${condition} }}`);
    return Object.hasOwn(scope, name) ? scope[name] : undefined;
  };
  const call = (): unknown => {
    const name = words[at] ?? '';
    if (!['not', 'and', 'or', 'eq', 'ne'].includes(name)) return operand();
    at++;
    const values: unknown[] = [];
    while (at < words.length && words[at] !== ')') values.push(operand());
    switch (name) {
      case 'not':
        return !isTrue(values[0]);
      case 'and':
        return values.every(isTrue);
      case 'or':
        return values.some(isTrue);
      case 'eq':
        return values.slice(1).includes(values[0]);
      default:
        return values[0] !== values[1];
    }
  };
  const value = call();
  if (at < words.length) throw notUnderstood(`{{ if ${condition} }}`);
  return isTrue(value);
}

const isTrue = (value: unknown): boolean => (Array.isArray(value) ? value.length > 0 : Boolean(value));

const notUnderstood = (what: string): RequestError =>
  new RequestError(
    badRequest(
      `template: ${what.slice(0, 200)} is not understood here; send the finished prompt with "raw": true instead`,
      'not_supported',
      { param: 'template' },
    ),
  );
