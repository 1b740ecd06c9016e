import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { markOf } from '../files/follow-file.ts';
import { systemReason } from '../system-reason.ts';
import { ConfigError } from './config-error.ts';

const IS_YAML = /^[^.].*\.ya?ml$/;

/**
 * The files that names of configurations stand for, in the order in which they are read: a folder for all `*.yaml` and `*.yml` in it, by name. Throws a
 * `ConfigError` for a folder without any.
 */
export const configFiles = (named: readonly string[]): readonly string[] =>
  named.flatMap((name) => {
    const path = resolve(name);
    return isFolder(path) ? filesIn(path) : [path];
  });

function filesIn(folder: string): readonly string[] {
  const fault = (message: string): ConfigError =>
    new ConfigError(folder, [{ line: 0, column: 0, key: '', message }]);
  let names: readonly string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    throw fault(`cannot be read: ${systemReason(error)}`);
  }
  const files = names.filter((name) => IS_YAML.test(name)).toSorted();
  if (files.length === 0) throw fault('there is no *.yaml in this folder');
  return files.map((name) => join(folder, name));
}

/** What is not there is told when it is read. */
function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** Which files there are and how they are, as a text that is equal as long as they are the same. */
export function lookAtConfig(named: readonly string[]): string {
  try {
    const marks = configFiles(named).map((path) => [path, markOf(statSync(path, { bigint: true }))]);
    return JSON.stringify(marks);
  } catch {
    return 'gone';
  }
}
