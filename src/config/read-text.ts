import { readFileText } from '../files/read-file.ts';
import { systemReason } from '../system-reason.ts';
import { ConfigError } from './config-error.ts';

/** The text of a file that somebody has named, of at most `mostBytes` (1 MiB). Throws a `ConfigError` when it cannot be read. */
export function readText(path: string, mostBytes?: number): string {
  try {
    return readFileText(path, mostBytes);
  } catch (error) {
    throw new ConfigError(path, [
      { line: 0, column: 0, key: '', message: `cannot be read: ${systemReason(error)}` },
    ]);
  }
}
