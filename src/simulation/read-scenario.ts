import { resolve } from 'node:path';
import { readText } from '../config/read-text.ts';
import { parseScenario, type Scenario } from './simulate.ts';

// What `corral/simulation` offers under Node: this, and all that runs in a browser too.
export * from './simulate.ts';

/** A recording of some thousand requests has a few MB. */
const LONGEST_BYTES = 64 * 1024 ** 2;

/** Reads a scenario from a YAML or JSON file. Throws a `ConfigError` that names every problem with file, line and key. */
export const readScenario = (path: string): Scenario =>
  parseScenario(readText(resolve(path), LONGEST_BYTES), path);
