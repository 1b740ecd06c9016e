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
}

/** A configuration that cannot be used, with everything that is wrong with it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly file: string;
  readonly problems: readonly ConfigProblem[];

  /** With the file's `text`, the message quotes each line that is wrong. */
  constructor(file: string, problems: readonly ConfigProblem[], text = '') {
    const told = problems.map(withoutKeys);
    super(told.map((problem) => describe(file, problem, text)).join('\n'));
    this.file = file;
    this.problems = told;
  }
}

/** Where keys belong, what stands there by mistake may be one: it is not repeated, since messages are logged. */
const isAboutKeys = (key: string): boolean => key === 'keys' || key.startsWith('keys.');

const masked = (text: string): string => text.replaceAll(/corral_[\w-]{8,}/g, 'corral_…');

const withoutKeys = (problem: ConfigProblem): ConfigProblem => ({
  ...problem,
  key: masked(problem.key),
  message: masked(isAboutKeys(problem.key) ? problem.message.replace(/, found .*$/s, '') : problem.message),
});

function describe(file: string, { line, column, key, message, source }: ConfigProblem, text: string): string {
  const where = source ?? (line === 0 ? file : `${file}:${line}:${column}`);
  const isQuoted = source === undefined && !isAboutKeys(key);
  const quoted = isQuoted ? masked(text.split('\n')[line - 1] ?? '').trim() : '';
  return `${where}: ${key ? `${key}: ` : ''}${message}${quoted ? `\n    ${quoted}` : ''}`;
}
