import type { z } from 'zod';
import { MOST_PROBLEMS, type ConfigProblem } from './config-error.ts';
import type { Override } from './environment.ts';
import { guess } from './guess.ts';
import { inWords } from './in-words.ts';
import { shortly, shown } from './shown.ts';
import { knownKeys } from './settings.ts';
import { valueAt } from './value-at.ts';
import type { ConfigSource } from './layered-source.ts';

/** What a schema has against a configuration, each with its place in the file, or the variable or option that it is from. */
export const problemsOf = (
  { issues }: z.ZodError,
  source: ConfigSource,
  overrides: readonly Override[],
): ConfigProblem[] =>
  issues.slice(0, MOST_PROBLEMS + 1).flatMap((issue) => ofIssue(issue, source, overrides));

function ofIssue(
  issue: z.core.$ZodIssue,
  source: ConfigSource,
  overrides: readonly Override[],
): ConfigProblem[] {
  const override = overrides.findLast(({ path }) => path.every((key, i) => issue.path[i] === key));
  const placed = (path: readonly PropertyKey[]): Omit<ConfigProblem, 'message'> =>
    override
      ? { line: 0, column: 0, key: path.map(String).join('.'), source: override.source }
      : source.placeOf(path);
  if (issue.code === 'unrecognized_keys')
    return issue.keys.slice(0, MOST_PROBLEMS + 1).map((key) => ({
      ...placed([...issue.path, key]),
      message: `unknown key '${shortly(key)}'.${guess(key, knownKeys(issue.path))}`,
    }));
  // Of a name that cannot be one, the name itself is what was found.
  if (issue.code === 'invalid_key')
    return [{ ...placed(issue.path), message: `${expectation(issue)}, found ${shown(issue.path.at(-1))}` }];
  const found = override
    ? valueAt(override.value, issue.path.slice(override.path.length))
    : source.at(issue.path);
  return [{ ...placed(issue.path), message: `${expectation(issue)}, found ${shown(found)}` }];
}

/** What is expected there; of alternatives that all fail, what each of them takes. */
function expectation(issue: z.core.$ZodIssue): string {
  const inner = alternativesOf(issue);
  return [...new Set(inner.map(({ message }) => inWords(message)))].join(', or ');
}

function alternativesOf(issue: z.core.$ZodIssue): readonly z.core.$ZodIssue[] {
  if (issue.code === 'invalid_key') return issue.issues;
  return issue.code === 'invalid_union' && issue.message === 'Invalid input' ? issue.errors.flat() : [issue];
}
