import { readFileSync } from 'node:fs';
import { ConfigError } from './config-error.ts';

/** The text of a file that somebody has named. Throws a `ConfigError` when it cannot be read. */
export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError(path, [{ line: 0, column: 0, key: '', message: `cannot be read: ${reason}` }]);
  }
}
