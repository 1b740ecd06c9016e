import { isScalar, Scalar, visit, type Document } from 'yaml';
import { guess } from './guess.ts';
import { shortly } from './shown.ts';

/** Before a text it says that what is in `${…}` is of the environment. */
const ENV_TAG = '!env';
/** `${NAME}`, or `${NAME:-what it is without}`. */
const VARIABLE = /\$\{([A-Za-z_]\w*)(?::-([^}]*))?\}/g;
const NUMBER = /^-?\d+(?:\.\d+)?$/;

/** The values of a document's texts that are tagged so. */
export type Filled = ReadonlyMap<unknown, unknown>;

interface TagProblem {
  readonly offset: number;
  readonly message: string;
}

/**
 * Fills in the environment where a document asks for it: `path: !env ${MODELS}/a.gguf`. Without quotes what comes out is read as it would be in the
 * file, so that a number is one. Tells of variables that there are not, and of tags that mean nothing.
 */
export function fillEnvironment(
  document: Document.Parsed,
  env: NodeJS.ProcessEnv,
): { readonly filled: Filled; readonly problems: readonly TagProblem[] } {
  const filled = new Map<unknown, unknown>();
  const problems: TagProblem[] = [];
  // Nearly all documents have none.
  if (document.warnings.length === 0) return { filled, problems };
  visit(document, {
    Node: (_, node) => {
      const { tag } = node as { tag?: string };
      if (tag === undefined || tag.startsWith('tag:yaml.org,')) return;
      const add = (message: string): void => void problems.push({ offset: node.range?.[0] ?? 0, message });
      if (tag !== ENV_TAG) add(`the tag ${shortly(tag)} means nothing here.${guess(tag, [ENV_TAG])}`);
      else if (!isScalar(node)) add(`${ENV_TAG} stands before a text, and not before a list or a map`);
      else filled.set(node, valueOf(node, env, add));
    },
  });
  return { filled, problems };
}

function valueOf(
  { source = '', type }: Scalar,
  env: NodeJS.ProcessEnv,
  add: (message: string) => void,
): unknown {
  const text = source.replaceAll(VARIABLE, (whole, name: string, otherwise?: string) => {
    const found = env[name] || otherwise;
    if (found === undefined) add(`the environment has no ${name}; \${${name}:-…} says what it is then`);
    return found ?? whole;
  });
  if (type !== Scalar.PLAIN) return text;
  if (NUMBER.test(text)) return Number(text);
  return text === 'true' || text === 'false' ? text === 'true' : text;
}
