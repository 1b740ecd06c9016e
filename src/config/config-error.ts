import { shortly } from './shown.ts';

/** One thing wrong with a configuration, and where. */
export interface ConfigProblem {
  /** 1-based; 0 when no line is meant: the whole file, or what is not from the file. */
  readonly line: number;
  readonly column: number;
  /** `models.qwen.context`; empty for the whole file. */
  readonly key: string;
  readonly message: string;
  /** The environment variable or the option that it is from, if it is not from the file. */
  readonly source?: string;
  /** The file, of several; absent: that of the error. */
  readonly file?: string;
}

/** As many are told: what is wrong a thousand times is mostly of one kind. */
export const MOST_PROBLEMS = 20;

/** A configuration that cannot be used, with what is wrong with it, the first of many. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly file: string;
  readonly problems: readonly ConfigProblem[];

  /** With the file's `text`, or those of several by their names, the message quotes each line that is wrong. */
  constructor(
    file: string,
    problems: readonly ConfigProblem[],
    text: string | ReadonlyMap<string, string> = '',
  ) {
    const textOf = (of: string): string => (typeof text === 'string' ? text : (text.get(of) ?? ''));
    const told = problems.slice(0, MOST_PROBLEMS).map(withoutKeys);
    if (problems.length > MOST_PROBLEMS) told.push(andMore);
    super(
      told.map((problem) => describe(problem.file ?? file, problem, textOf(problem.file ?? file))).join('\n'),
    );
    this.file = file;
    this.problems = told;
  }
}

const andMore: ConfigProblem = { line: 0, column: 0, key: '', message: 'and more: these are the first' };

/** Where keys belong, what stands there by mistake may be one: it is not repeated, since messages are logged. */
const isAboutKeys = (key: string): boolean => key === 'keys' || key.startsWith('keys.');

const lineOf = (text: string, line: number): string => text.split('\n', line)[line - 1] ?? '';

/** A key of Corral's own, and what is given to a runner as one. */
const masked = (text: string): string =>
  text
    .replaceAll(/corral_[\w-]{8,}/g, 'corral_…')
    .replaceAll(/(--?api[-_]key["']?\s*[=,]\s*["']?)[^\s,"'\]}]+/gi, '$1…');

const withoutKeys = (problem: ConfigProblem): ConfigProblem => ({
  ...problem,
  key: masked(problem.key),
  message: masked(isAboutKeys(problem.key) ? problem.message.replace(/, found .*$/s, '') : problem.message),
});

function describe(file: string, { line, column, key, message, source }: ConfigProblem, text: string): string {
  const where = source ?? (line === 0 ? file : `${file}:${line}:${column}`);
  const isQuoted = source === undefined && !isAboutKeys(key);
  const quoted = isQuoted ? shortly(masked(lineOf(text, line)).trim()) : '';
  return `${where}: ${key ? `${shortly(key)}: ` : ''}${message}${quoted ? `\n    ${quoted}` : ''}`;
}
