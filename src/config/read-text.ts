import { readFileSync } from 'node:fs';
import { systemReason } from '../system-reason.ts';
import { ConfigError } from './config-error.ts';

/** The text of a file that somebody has named. Throws a `ConfigError` when it cannot be read. */
export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError(path, [
      { line: 0, column: 0, key: '', message: `cannot be read: ${systemReason(error)}` },
    ]);
  }
}
