import { isMap, isNode, isSeq, LineCounter, parseDocument, type Document, type Node } from 'yaml';
import type { z } from 'zod';
import { ConfigError, type ConfigProblem } from '../../config/config-error.ts';
import { guess } from '../../config/guess.ts';
import { inWords } from '../../config/in-words.ts';
import { recordingHeader, type RecordingHeader } from '../../recording/recording-file.ts';
import { knownKeysAt } from './known-keys.ts';
import { namesIn, namesTwice } from './names.ts';
import { scenarioSchema, type Scenario, type ScenarioInput } from './schema.ts';

/** Reads a scenario from YAML or JSON text, or that of a recording; `file` is for messages. Throws a `ConfigError` that names every problem with line and key. */
export function parseScenario(text: string, file = 'scenario.yaml'): Scenario {
  const header = recordingHeader(text);
  return header ? recordedScenario(header, file) : parseText(text, file);
}

function recordedScenario({ scenario }: RecordingHeader, file: string): Scenario {
  const message = 'this recording has no scenario: export it from a page that is connected.';
  if (scenario === null) throw new ConfigError(file, [{ line: 1, column: 1, key: 'scenario', message }]);
  return checked(scenario, file);
}

function parseText(text: string, file: string): Scenario {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const syntax = document.errors.map(({ message, pos }) => {
    const { line, col } = lines.linePos(pos[0]);
    return { line, column: col, key: '', message: message.split('\n')[0] ?? message };
  });
  if (syntax.length > 0) throw new ConfigError(file, syntax, text);
  const found = check(document.toJS() ?? {});
  if ('scenario' in found) return { about: commentOf(document), ...found.scenario };
  const problems = found.problems.map(({ path, message }) => ({
    ...placeOf(path, document, lines),
    message: message + seenAt(path, document, message),
  }));
  throw new ConfigError(file, problems, text);
}

/** A scenario written as an object in a test. Throws a `ConfigError`. */
export const scenarioOf = (input: ScenarioInput): Scenario => checked(input, 'scenario');

function checked(input: unknown, file: string): Scenario {
  const found = check(input);
  if ('scenario' in found) return found.scenario;
  const problems = found.problems.map(({ path, message }) => ({
    line: 0,
    column: 0,
    key: path.map(String).join('.'),
    message,
  }));
  throw new ConfigError(file, problems);
}

/** A file's first comment says what it shows. */
function commentOf({ commentBefore, contents }: Document): string | undefined {
  const first = isMap(contents) ? contents.items[0]?.key : undefined;
  const comment =
    commentBefore ?? contents?.commentBefore ?? (isNode(first) ? first.commentBefore : undefined);
  return comment?.replaceAll(/\s+/g, ' ').trim();
}

interface Problem {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

function check(raw: unknown): { scenario: Scenario } | { problems: readonly Problem[] } {
  const parsed = scenarioSchema.safeParse(raw);
  if (!parsed.success) return { problems: parsed.error.issues.flatMap(problemsOf) };
  const twice = namesTwice(parsed.data).map(({ path, name }) => ({
    path,
    message: `another request is called '${name}' already`,
  }));
  const unknown = namesIn(parsed.data)
    .filter(({ name, known }) => !known.includes(name))
    .map(({ path, name, known, noun }) => ({
      path,
      message: `unknown ${noun} '${name}'.${guess(name, known)}`,
    }));
  const problems = [...unknown, ...twice];
  return problems.length > 0 ? { problems } : { scenario: parsed.data };
}

function problemsOf(issue: z.core.$ZodIssue): Problem[] {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({
      path: [...issue.path, key],
      message: `unknown key '${key}'.${guess(key, knownKeysAt(scenarioSchema, issue.path))}`,
    }));
  if (issue.code === 'invalid_union') {
    // The alternative that came furthest is the one that was meant.
    const deepest = issue.errors.toSorted((a, b) => depthOf(b) - depthOf(a))[0] ?? [];
    if (depthOf(deepest) > 0)
      return deepest.flatMap((inner) => problemsOf({ ...inner, path: [...issue.path, ...inner.path] }));
    const texts = issue.errors.flatMap((errors) => errors.map((error) => error.message));
    return [{ path: issue.path, message: [...new Set(texts.map(inWords))].join(', or ') }];
  }
  return [{ path: issue.path, message: inWords(issue.message) }];
}

const depthOf = (issues: readonly z.core.$ZodIssue[]): number =>
  Math.max(0, ...issues.map((issue) => issue.path.length + (issue.code === 'unrecognized_keys' ? 1 : 0)));

function seenAt(path: readonly PropertyKey[], document: Document, message: string): string {
  if (message.startsWith('unknown')) return '';
  const found = document.getIn(path, true);
  const value: unknown = isNode(found) ? found.toJS(document) : found;
  return value === undefined || typeof value === 'object' ? '' : `, found ${JSON.stringify(value)}`;
}

/** Where a path is in the text: its key, else the nearest thing around it. */
function placeOf(
  path: readonly PropertyKey[],
  document: Document,
  lines: LineCounter,
): Omit<ConfigProblem, 'message'> {
  const key = path.map(String).join('.');
  for (let length = path.length; length > 0; length--) {
    const node = nodeAt(document, path.slice(0, length - 1), path[length - 1]);
    if (!node?.range) continue;
    const { line, col } = lines.linePos(node.range[0]);
    return { line, column: col, key };
  }
  return { line: 1, column: 1, key };
}

function nodeAt(
  document: Document,
  path: readonly PropertyKey[],
  last: PropertyKey | undefined,
): Node | undefined {
  const parent = path.length === 0 ? document.contents : document.getIn(path, true);
  if (isMap(parent)) {
    const pair = parent.items.find((item) => String(item.key) === String(last));
    return isNode(pair?.key) ? pair.key : undefined;
  }
  const item = isSeq(parent) ? parent.items[Number(last)] : undefined;
  return isNode(item) ? item : undefined;
}
