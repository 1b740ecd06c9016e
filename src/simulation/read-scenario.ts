import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { ConfigError } from '../config/config-error.ts';
import { parseScenario, type Scenario } from './simulate.ts';

// What `corral/simulation` offers under Node: this, and all that runs in a browser too.
export * from './simulate.ts';

/** Reads a scenario from a YAML or JSON file. Throws a `ConfigError` that names every problem with file, line and key. */
export function readScenario(path: string): Scenario {
  const file = resolve(path);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError(file, [{ line: 0, column: 0, key: '', message: `cannot be read: ${reason}` }]);
  }
  return parseScenario(text, path);
}
