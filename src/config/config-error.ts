/** One thing wrong with a configuration, and where. */
export interface ConfigProblem {
  /** 1-based; 0 when the whole file is meant. */
  readonly line: number;
  readonly column: number;
  /** `models.qwen.context`; empty for the whole file. */
  readonly key: string;
  readonly message: string;
}

/** A configuration that cannot be used, with everything that is wrong with it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly file: string;
  readonly problems: readonly ConfigProblem[];

  constructor(file: string, problems: readonly ConfigProblem[], text = '') {
    super(problems.map((problem) => describe(file, problem, text)).join('\n'));
    this.file = file;
    this.problems = problems;
  }
}

function describe(file: string, { line, column, key, message }: ConfigProblem, text: string): string {
  const where = line === 0 ? file : `${file}:${line}:${column}`;
  const quoted = text.split('\n')[line - 1];
  return `${where}: ${key ? `${key}: ` : ''}${message}${quoted?.trim() ? `\n    ${quoted.trim()}` : ''}`;
}
