import { resolve } from 'node:path';
import { closest, distance } from 'fastest-levenshtein';
import { isMap, isNode, LineCounter, parseDocument, type Document } from 'yaml';
import type { z } from 'zod';
import { ConfigError, type ConfigProblem } from './config-error.ts';
import { readText } from './read-text.ts';
import { configSchema, type Config } from './schema.ts';

export interface LoadedConfig {
  /** Absolute; null when there is no file and all is default. */
  readonly path: string | null;
  readonly config: Config;
}

/** Reads and checks a configuration. Throws a `ConfigError` that names every problem with file, line and key. */
export function loadConfig(path: string, env: NodeJS.ProcessEnv = process.env): LoadedConfig {
  const file = resolve(path);
  return { path: file, config: parseConfig(readText(file), file, env) };
}

/** The same for text that is at hand already. */
export function parseConfig(text: string, file = 'corral.yaml', env: NodeJS.ProcessEnv = {}): Config {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const syntax = document.errors.map(({ message, pos }) => {
    const { line, col } = lines.linePos(pos[0]);
    return { line, column: col, key: '', message: message.split('\n')[0] ?? message };
  });
  if (syntax.length > 0) throw new ConfigError(file, syntax, text);
  const parsed = configSchema.safeParse(withEnvironment(document.toJS() ?? {}, env));
  if (!parsed.success) {
    const problems = parsed.error.issues.flatMap((issue) => problemsOf(issue, document, lines));
    throw new ConfigError(file, problems, text);
  }
  const clashes = nameClashes(parsed.data).map((clash) => ({
    ...placeOf(clash.path, document, lines),
    ...clash,
  }));
  if (clashes.length > 0) throw new ConfigError(file, clashes, text);
  return deepFreeze(parsed.data);
}

/** `CORRAL_HOST`, `CORRAL_PORT` and `CORRAL_LOG_LEVEL` win over the file. */
function withEnvironment(raw: unknown, env: NodeJS.ProcessEnv): unknown {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return raw;
  const { CORRAL_HOST: host, CORRAL_PORT: port, CORRAL_LOG_LEVEL: logLevel } = env;
  if (host === undefined && port === undefined && logLevel === undefined) return raw;
  const listen = 'listen' in raw && typeof raw.listen === 'object' ? raw.listen : {};
  return {
    ...raw,
    listen: { ...listen, ...(host && { host }), ...(port && { port: Number(port) }) },
    ...(logLevel && { logLevel }),
  };
}

function problemsOf(issue: z.core.$ZodIssue, document: Document, lines: LineCounter): ConfigProblem[] {
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(issue.path);
    return issue.keys.map((key) => ({
      ...placeOf([...issue.path, key], document, lines),
      message: `unknown key '${key}'.${guess(key, known)}`,
    }));
  }
  const found = document.getIn(issue.path.map(String), false);
  const seen = found === undefined ? 'nothing' : JSON.stringify(isNode(found) ? found.toJSON() : found);
  return [
    { ...placeOf(issue.path, document, lines), message: `${lowerFirst(issue.message)}, found ${seen}` },
  ];
}

const guess = (key: string, known: readonly string[]): string => {
  if (known.length === 0) return '';
  const near = closest(key, known);
  return distance(key.toLowerCase(), near.toLowerCase()) <= Math.max(2, key.length / 3)
    ? ` Did you mean '${near}'?`
    : ` Known: ${known.join(', ')}.`;
};

/** The keys that are allowed at a path, found by walking the JSON Schema's own tree. */
function knownKeys(path: readonly PropertyKey[]): string[] {
  let node: unknown = configSchema;
  for (const key of path) node = child(unwrap(node), String(key));
  const shape = shapeOf(unwrap(node));
  return shape ? Object.keys(shape) : [];
}
const unwrap = (node: unknown): unknown => {
  const inner = innerOf(node);
  return inner === undefined ? node : unwrap(inner);
};
const definitionOf = (node: unknown): Record<string, unknown> =>
  typeof node === 'object' && node !== null && 'def' in node && typeof node.def === 'object'
    ? (node.def as Record<string, unknown>)
    : {};
const innerOf = (node: unknown): unknown => definitionOf(node)['innerType'];
const shapeOf = (node: unknown): Record<string, unknown> | undefined =>
  definitionOf(node)['shape'] as Record<string, unknown> | undefined;
const child = (node: unknown, key: string): unknown =>
  shapeOf(node)?.[key] ?? definitionOf(node)['valueType'];

function placeOf(
  path: readonly PropertyKey[],
  document: Document,
  lines: LineCounter,
): { line: number; column: number; key: string } {
  const key = path.map(String).join('.');
  for (let length = path.length; length > 0; length--) {
    const parent = document.getIn(path.slice(0, length - 1).map(String), true) ?? document.contents;
    const name = String(path[length - 1]);
    const pair = isMap(parent) ? parent.items.find((item) => String(item.key) === name) : undefined;
    const range = isNode(pair?.key) ? pair.key.range : undefined;
    if (range) {
      const { line, col } = lines.linePos(range[0]);
      return { line, column: col, key };
    }
  }
  return { line: 1, column: 1, key };
}

/** Names and aliases share one namespace, without regard to case. */
function nameClashes(config: Config): { path: string[]; message: string }[] {
  const owners = new Map<string, string>();
  const clashes: { path: string[]; message: string }[] = [];
  for (const [name, { aliases }] of Object.entries(config.models))
    for (const one of [name, ...aliases]) {
      const owner = owners.get(one.toLowerCase());
      if (owner !== undefined)
        clashes.push({ path: ['models', name], message: `the name '${one}' is taken by '${owner}' already` });
      owners.set(one.toLowerCase(), name);
    }
  return clashes;
}

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(deepFreeze);
    Object.freeze(value);
  }
  return value;
}
